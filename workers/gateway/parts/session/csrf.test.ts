import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CSRF_COOKIE, K1, K2, SESSION_COOKIE, sessionStand } from "./session-stand.ts";

const ALICE = { sub: "alice" };

const signedIn = async (options: Parameters<typeof sessionStand>[0] = {}) => {
  const stand = sessionStand(options);
  await stand.send("GET", {}, ALICE);
  const token = () => ({ "x-csrf-token": stand.jar.get(CSRF_COOKIE) ?? "" });
  return { ...stand, token };
};

const expectRefused = async (answer: Response, stand: { service: { saw?: unknown } }) => {
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ type: "/problems/csrf_mismatch" });
  expect(stand.service.saw).toBeUndefined();
};

describe("a request that changes something with a session", () => {
  test("goes on with the token that the site's pages can read", async () => {
    const stand = await signedIn();
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expect((await stand.send(method, stand.token())).status).toBe(200);
      expect(stand.seen()).toEqual(ALICE);
    }
  });

  test("is refused without it", async () => {
    const stand = await signedIn();
    await expectRefused(await stand.send("POST"), stand);
  });

  test("is refused with any other text in the header, the cookie or both", async () => {
    const stand = await signedIn();
    const good = stand.jar.get(CSRF_COOKIE) ?? "";
    const other = fc.oneof(
      fc.stringMatching(/^[\x21-\x7e]{0,60}$/),
      fc.nat(good.length - 1).map((at) => good.slice(0, at)),
      fc.nat(good.length - 1).map((at) => `${good.slice(0, at)}~${good.slice(at + 1)}`),
    );
    await fc.assert(
      fc.asyncProperty(other, fc.constantFrom("header", "cookie", "both"), async (text, where) => {
        fc.pre(text !== good);
        stand.jar.set(CSRF_COOKIE, where === "header" ? good : text);
        await expectRefused(
          await stand.send("POST", { "x-csrf-token": where === "cookie" ? good : text }),
          stand,
        );
      }),
    );
  });

  test("is refused with the token of another session, though cookie and header agree", async () => {
    const [stand, other] = [await signedIn(), await signedIn()];
    stand.jar.set(CSRF_COOKIE, other.jar.get(CSRF_COOKIE) ?? "");
    await expectRefused(await stand.send("POST", stand.token()), stand);
  });

  test("is refused with the token from before somebody signed in", async () => {
    const stand = sessionStand();
    await stand.send("GET", {}, { cart: [] });
    const before = stand.jar.get(CSRF_COOKIE) ?? "";
    await stand.send("GET", {}, { cart: [], sub: "alice" });
    expect(stand.jar.get(CSRF_COOKIE)).not.toBe(before);
    stand.jar.set(CSRF_COOKIE, before);
    await expectRefused(await stand.send("POST", { "x-csrf-token": before }), stand);
  });

  test("goes on with the same token while the session's content changes", async () => {
    const stand = await signedIn();
    const before = stand.token();
    await stand.send("POST", before, { ...ALICE, cart: ["a"] });
    expect(stand.token()).toEqual(before);
  });

  test("is refused from another site's page, even with the token", async () => {
    const stand = await signedIn();
    for (const from of [
      { "sec-fetch-site": "cross-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "https://other.shop.example", "sec-fetch-site": "same-site" },
      { origin: "http://shop.example" },
      { origin: "https://shop.example:8443" },
    ])
      await expectRefused(await stand.send("POST", { ...stand.token(), ...from }), stand);
    const own = { origin: "https://shop.example", "sec-fetch-site": "same-origin" };
    expect((await stand.send("POST", { ...stand.token(), ...own })).status).toBe(200);
  });

  test("from a trusted origin goes on, with the token only", async () => {
    const trustedOrigins = ["https://app.example"];
    const stand = await signedIn({ settings: { csrf: { trustedOrigins } } });
    const from = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
    expect((await stand.send("POST", { ...stand.token(), ...from })).status).toBe(200);
    await expectRefused(await stand.send("POST", from), stand);
  });
});

describe("what CSRF does not concern", () => {
  test("are requests that change nothing", async () => {
    const stand = await signedIn();
    for (const method of ["GET", "HEAD", "OPTIONS"])
      expect((await stand.send(method, { origin: "https://evil.example" })).status).toBe(200);
  });

  test("are requests without a session, whatever they prove their caller by", async () => {
    const stand = sessionStand();
    const from = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
    expect((await stand.send("POST", { ...from, authorization: "Bearer a" })).status).toBe(200);
    stand.jar.set(SESSION_COOKIE, "k1.tampered");
    expect((await stand.send("POST", from)).status).toBe(200);
    expect(stand.seen()).toBeUndefined();
  });

  test("is a session that has an API key beside it: that one is concerned", async () => {
    const stand = await signedIn();
    await expectRefused(await stand.send("POST", { authorization: "Bearer a" }), stand);
  });

  test("are routes where it is off, which set no token", async () => {
    const stand = await signedIn({ settings: { csrf: false } });
    expect(stand.jar.has(CSRF_COOKIE)).toBe(false);
    expect((await stand.send("POST", { origin: "https://evil.example" })).status).toBe(200);
  });
});

test("a WebSocket with a session is opened by pages of the site alone", async () => {
  const stand = await signedIn();
  const upgrade = { upgrade: "WebSocket" };
  await expectRefused(await stand.send("GET", { ...upgrade, origin: "https://evil.example" }), stand);
  expect((await stand.send("GET", { ...upgrade, origin: "https://shop.example" })).status).toBe(200);
});

describe("the token's cookie", () => {
  test("can be read by scripts, lives as long as the session and ends with it", async () => {
    const stand = sessionStand();
    const line = async (sets: object | string) =>
      (await stand.send("GET", {}, sets as string)).headers
        .getSetCookie()
        .find((each) => each.startsWith(CSRF_COOKIE));
    expect(await line(ALICE)).toMatch(
      /^__Host-skerry-csrf=k1\.[A-Za-z0-9_-]{43}; Max-Age=3600; Path=\/; Secure; SameSite=Lax$/,
    );
    expect(await line("")).toContain("Max-Age=0");
  });

  test("is given again to a browser that has lost it or has another", async () => {
    const stand = await signedIn();
    const good = stand.jar.get(CSRF_COOKIE);
    stand.jar.delete(CSRF_COOKIE);
    await stand.send();
    expect(stand.jar.get(CSRF_COOKIE)).toBe(good);
    stand.jar.set(CSRF_COOKIE, "k1.other");
    await stand.send();
    expect(stand.jar.get(CSRF_COOKIE)).toBe(good);
  });

  test("goes on being good under an old key, and is then replaced", async () => {
    const stand = await signedIn();
    stand.configure({ keys: [K2, K1] });
    expect((await stand.send("POST", stand.token())).status).toBe(200);
    expect(stand.jar.get(CSRF_COOKIE)).toMatch(/^k2\./);
    expect((await stand.send("POST", stand.token())).status).toBe(200);
  });
});
