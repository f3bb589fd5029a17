import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { SET_SESSION_FIELD, type SessionContent } from "#shared/http/session-fields.ts";
import { LIMITS } from "#shared/limits.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { sessionSchema } from "./session-schema.ts";
import { K1, K2, keyOf, SESSION_COOKIE, sessionStand } from "./session-stand.ts";

const ALICE = { sub: "alice", cart: ["a", 1] };
/** Lone surrogates, too. */
const TEXT = fc.array(fc.nat(0xffff), { maxLength: 10 }).map((codes) => String.fromCharCode(...codes));
const HOUR = 3_600_000;
const TAMPERED_LETTERS = [..."ABCXYZabcxyz0189-_.=", " "];

const signedIn = async (options: Parameters<typeof sessionStand>[0] = {}) => {
  const stand = sessionStand(options);
  await stand.send("GET", {}, ALICE);
  return stand;
};
const cookieLine = (answer: Response, name: string) =>
  answer.headers.getSetCookie().find((line) => line.startsWith(`${name}=`));

describe("a session", () => {
  test("RFC 6265bis §4.1.2: a session comes back to the service that set it, and its cookie is out of reach of scripts", async () => {
    const stand = sessionStand();
    const answer = await stand.send("GET", {}, ALICE);
    expect(stand.seen()).toBeUndefined();
    expect(cookieLine(answer, SESSION_COOKIE)).toMatch(
      /^__Host-skerry-session=k1\.[A-Za-z0-9_-]+; Max-Age=3600; HttpOnly; Path=\/; Secure; SameSite=Lax$/,
    );
    const next = await stand.send();
    expect(stand.seen()).toEqual(ALICE);
    expect(next.headers.getSetCookie()).toEqual([]);
  });

  test("is told to nobody: neither how the service set it nor, in the cookie, what is in it", async () => {
    const stand = sessionStand();
    const answer = await stand.send("GET", {}, ALICE);
    expect(answer.headers.has(SET_SESSION_FIELD)).toBe(false);
    expect(
      atob((stand.jar.get(SESSION_COOKIE) ?? "").slice(3).replaceAll("-", "+").replaceAll("_", "/")),
    ).not.toContain("alice");
  });

  test("hides its cookie from the service and leaves the others", async () => {
    const stand = await signedIn();
    stand.jar.set("other", "1");
    await stand.send();
    const cookies = stand.service.saw?.onward?.find(({ name }) => name === "cookie");
    expect(cookies?.value).toContain("other=1");
    expect(cookies?.value).not.toContain(SESSION_COOKIE);
    stand.jar.delete("other");
    stand.jar.delete("__Host-skerry-csrf");
    await stand.send();
    expect(stand.service.saw?.onward).toContainEqual({ kind: "remove", name: "cookie", value: "" });
  });

  test("ends when the service says so", async () => {
    const stand = await signedIn();
    const answer = await stand.send("GET", {}, "");
    expect(cookieLine(answer, SESSION_COOKIE)).toContain(
      `${SESSION_COOKIE}=; Max-Age=0; HttpOnly; Path=/; Secure`,
    );
    await stand.send();
    expect(stand.seen()).toBeUndefined();
    expect((await stand.send("GET", {}, "")).headers.getSetCookie()).toEqual([]);
  });

  test("whatever JSON object it is comes back as it was", async () => {
    const content = fc.dictionary(TEXT, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(content, async (object) => {
        const stand = sessionStand();
        await stand.send("GET", {}, object);
        await stand.send();
        expect(JSON.stringify(stand.seen())).toBe(JSON.stringify(object));
      }),
      { numRuns: 50 },
    );
  });

  test("makes an answer that sets it nobody else's", async () => {
    const stand = sessionStand();
    stand.service.headers = { "cache-control": "public, max-age=60" };
    expect((await stand.send("GET", {}, ALICE)).headers.get("cache-control")).toBe("no-store");
    expect((await stand.send()).headers.get("cache-control")).toBe("public, max-age=60");
    stand.service.headers = { "cache-control": "private, max-age=60" };
    expect((await stand.send("GET", {}, {})).headers.get("cache-control")).toBe("private, max-age=60");
  });

  test("of nobody costs nothing and changes nothing", async () => {
    const stand = sessionStand();
    const answer = await stand.send();
    expect(stand.service.saw).not.toHaveProperty("onward");
    expect(stand.service.saw).not.toHaveProperty("answer");
    expect([...answer.headers.keys()]).toEqual(["content-type"]);
  });
});

describe("a cookie that is no session", () => {
  test("is one whose text was changed anywhere: the service sees none, and the browser forgets it", async () => {
    const stand = await signedIn();
    const good = stand.jar.get(SESSION_COOKIE) ?? "";
    const change = fc.tuple(
      fc.nat(good.length),
      fc.nat(3),
      fc.string({ unit: fc.constantFrom(...TAMPERED_LETTERS), maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(change, async ([at, removed, inserted]) => {
        const text = good.slice(0, at) + inserted + good.slice(at + removed);
        fc.pre(text.trim() !== good);
        stand.jar.set(SESSION_COOKIE, text);
        const answer = await stand.send();
        expect(stand.service.saw).toBeDefined();
        expect(stand.seen()).toBeUndefined();
        expect(cookieLine(answer, SESSION_COOKIE)).toContain("Max-Age=0");
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["another group", { group: "admin" }],
    ["another name", { name: "__Host-other" }],
    ["another store", { store: "kv" as const }],
    ["other keys", { keys: [K2] }],
    ["another key of the same id", { keys: [{ ...K1, key: keyOf("c") }] }],
  ])("is one of %s", async (_, other) => {
    const stand = await signedIn();
    const good = stand.jar.get(SESSION_COOKIE) ?? "";
    stand.configure({ keys: [K1], ...other });
    stand.jar.set("name" in other ? other.name : SESSION_COOKIE, good);
    await stand.send();
    expect(stand.seen()).toBeUndefined();
  });

  test("is any that is longer than a browser keeps", async () => {
    const stand = sessionStand();
    stand.jar.set(SESSION_COOKIE, `k1.${"A".repeat(LIMITS.cookieBytes)}`);
    await stand.send();
    expect(stand.seen()).toBeUndefined();
  });
});

describe("a session's end", () => {
  test("comes when it was not used for its idle time, whatever the browser keeps", async () => {
    const stand = await signedIn();
    stand.world.now += HOUR;
    const answer = await stand.send();
    expect(stand.seen()).toBeUndefined();
    expect(cookieLine(answer, SESSION_COOKIE)).toContain("Max-Age=0");
  });

  test("is put off by using it, a tenth of the idle time at once and not more often", async () => {
    const stand = await signedIn();
    stand.world.now += HOUR / 10 - 1_000;
    expect((await stand.send()).headers.getSetCookie()).toEqual([]);
    stand.world.now += 1_000;
    expect(cookieLine(await stand.send(), SESSION_COOKIE)).toContain("Max-Age=3600");
    stand.world.now += HOUR - 1_000;
    await stand.send();
    expect(stand.seen()).toEqual(ALICE);
  });

  test("comes at its time however much it is used", async () => {
    const stand = await signedIn({ settings: { ttlSeconds: 7_200 } });
    for (const quarter of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const cookie = stand.jar.get(SESSION_COOKIE) ?? "";
      stand.world.now += HOUR / 4;
      stand.jar.set(SESSION_COOKIE, cookie);
      await stand.send();
      expect(stand.seen() === undefined).toBe(quarter === 8);
    }
  });

  test("comes sooner for those that there are when the operator shortens it", async () => {
    const stand = await signedIn();
    stand.world.now += 61_000;
    stand.configure({ keys: [K1], ttlSeconds: 60 });
    await stand.send();
    expect(stand.seen()).toBeUndefined();
  });
});

describe("keys", () => {
  test("that are old open, and what they sealed is sealed anew by the first", async () => {
    const stand = await signedIn();
    stand.configure({ keys: [K2, K1] });
    const answer = await stand.send();
    expect(stand.seen()).toEqual(ALICE);
    expect(cookieLine(answer, SESSION_COOKIE)).toContain(`${SESSION_COOKIE}=k2.`);
    stand.configure({ keys: [K2] });
    await stand.send();
    expect(stand.seen()).toEqual(ALICE);
  });

  test("that are not there make no sessions and take none away", async () => {
    const stand = await signedIn();
    stand.configure({});
    expect((await stand.send()).headers.getSetCookie()).toEqual([]);
    const answer = await stand.send("GET", {}, ALICE);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.has(SET_SESSION_FIELD)).toBe(false);
    stand.configure({ keys: [K1] });
    await stand.send();
    expect(stand.seen()).toEqual(ALICE);
  });

  test("are not asked again for a cookie that is known", async () => {
    const stand = await signedIn();
    await stand.send();
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const sign = vi.spyOn(crypto.subtle, "sign");
    await stand.send();
    expect(stand.seen()).toEqual(ALICE);
    expect(decrypt).not.toHaveBeenCalled();
    expect(sign).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe("what a service asks for and cannot be", () => {
  test.each([
    ["is larger than a cookie", { text: "x".repeat(LIMITS.cookieBytes) }],
    ["is no JSON object", "W10"],
    ["is no base64url", "*"],
  ])("leaves the session as it was when it %s, and the answer goes out", async (_, sets) => {
    const stand = await signedIn();
    const answer = await stand.send("GET", {}, sets);
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.has(SET_SESSION_FIELD)).toBe(false);
    await stand.send();
    expect(stand.seen()).toEqual(ALICE);
  });

  test("is said in the trace, by its reason and without its content", async () => {
    const spans = recordSpans();
    const stand = sessionStand();
    await inSpan("request", {}, async () => {
      await stand.send("GET", {}, { text: "x".repeat(LIMITS.cookieBytes) });
      await stand.send("GET", {}, "W10");
      stand.configure({});
      await stand.send("GET", {}, ALICE);
    });
    const events = spans.take().flatMap((span) => span.events);
    expect(events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["skerry.session.not_kept", { "skerry.session.reason": "too_large" }],
      ["skerry.session.not_kept", { "skerry.session.reason": "malformed" }],
      ["skerry.session.not_kept", { "skerry.session.reason": "no_keys" }],
    ]);
  });

  test("RFC 6265bis §5.6: no session makes a cookie that a browser drops", async () => {
    for (let length = 2_800; length < 3_200; length += 7) {
      const stand = sessionStand();
      const line =
        cookieLine(await stand.send("GET", {}, { text: "x".repeat(length) }), SESSION_COOKIE) ?? "=;";
      expect(line.split(";")[0]?.replace("=", "").length).toBeLessThanOrEqual(LIMITS.cookieBytes);
    }
  });
});

describe("a session that authenticates", () => {
  const settings = { authenticates: true };

  test("says who calls by its sub and scopes", async () => {
    const stand = sessionStand({ settings });
    await stand.send("GET", {}, { sub: "alice", scopes: ["read", 1] });
    expect(stand.service.saw?.caller).toBeUndefined();
    await stand.send();
    expect(stand.service.saw?.caller).toEqual({ subject: "alice", scopes: ["read"], by: "session" });
  });

  test("says whose caller it is by its tenant", async () => {
    const stand = sessionStand({ settings });
    await stand.send("GET", {}, { sub: "alice", tenant: "acme" });
    await stand.send();
    expect(stand.service.saw?.caller).toEqual({
      subject: "alice",
      scopes: [],
      by: "session",
      tenant: "acme",
    });
  });

  test.each<[SessionContent]>([
    [{}],
    [{ sub: "" }],
    [{ sub: 7 }],
    // Nobody's caller may operate services, and these are somebody's.
    ...["a.b", "", "acme ", 7, null, ["acme"]].map((tenant): [SessionContent] => [
      { sub: "alice", scopes: ["skerry:operate"], tenant },
    ]),
  ])("says nothing by %j", async (content) => {
    const stand = sessionStand({ settings });
    await stand.send("GET", {}, content);
    await stand.send();
    expect(stand.service.saw?.caller).toBeUndefined();
  });

  test("does not contradict what was found out before", async () => {
    const caller = { subject: "key-1", scopes: [], by: "api_key" } as const;
    const stand = await signedIn({ settings, caller });
    await stand.send();
    expect(stand.service.saw?.caller).toBe(caller);
  });

  test("is only one that the operator lets", async () => {
    const stand = await signedIn();
    await stand.send();
    expect(stand.service.saw?.caller).toBeUndefined();
  });
});

describe("what is written for sessions", () => {
  test("RFC 6265bis §4.1.3.2: what is written holds keys of 32 bytes under different ids, and names that browsers hold to this host", () => {
    const taken = (written: unknown) => sessionSchema.safeParse(written).success;
    expect(taken({ keys: [K1, K2] })).toBe(true);
    expect(taken({ keys: [K1, K1] })).toBe(false);
    expect(taken({ keys: [{ id: "k1", key: btoa("short") }] })).toBe(false);
    expect(taken({ keys: [{ id: "k.1", key: K1.key }] })).toBe(false);
    expect(taken({ name: "session" })).toBe(false);
    expect(taken({ name: "__Host-a=b" })).toBe(false);
    expect(taken({ csrf: { cookie: "__Secure-csrf" } })).toBe(false);
    expect(taken({ idleSeconds: 59 })).toBe(false);
  });
});
