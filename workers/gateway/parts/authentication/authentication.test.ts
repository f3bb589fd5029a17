/** Holds who is let in, who is refused and how, and what a service gets to see of credentials. */
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { newApiKey } from "#shared/identity/api-key.ts";
import { type Exchange, editOnward, type Handler, type HeaderEdit } from "../../exchange.ts";
import { fakeExchange } from "../../fake-exchange.ts";
import { authentication } from "./authentication.ts";
import { authenticationMemory } from "./authentication-memory.ts";
import type { AuthenticationSettings } from "./authentication-schema.ts";
import { mayPass } from "./scopes.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const memory = () =>
  authenticationMemory({
    clock: () => NOW,
    sleep: () => new Promise(() => undefined),
    fetch: () => Promise.reject(new TypeError("no network here")),
  });

const alice = await newApiKey("alice-1");
const bob = await newApiKey("bob");

let reached: Exchange[];
beforeEach(() => {
  reached = [];
});
const next: Handler = async (exchange) => {
  reached.push(exchange);
  return new Response("from the service");
};

const ask = async (settings: AuthenticationSettings, headers: Record<string, string> = {}, cf?: object) => {
  const exchange = fakeExchange("/shop/v1/things", { headers });
  if (cf) Object.defineProperty(exchange.request, "cf", { value: { tlsClientAuth: cf } });
  const response = await authentication(settings, memory())(next)(exchange);
  const challenge = response.headers.get("www-authenticate");
  const problem = response.status < 400 ? undefined : ((await response.json()) as Record<string, string>);
  return { status: response.status, challenge, problem, exchange };
};

const KEYS: AuthenticationSettings = {
  apiKeys: {
    keys: {
      "alice-1": { hash: alice.hash, owner: "alice", scopes: ["read", "write"] },
      bob: { hash: Buffer.from(bob.hash, "base64url").toString("hex") },
    },
  },
};
const withEntry = (entry: object): AuthenticationSettings => ({
  apiKeys: { keys: { bob: { hash: bob.hash, ...entry } } },
});

describe("an API key", () => {
  test("lets its owner in with its scopes, and the service does not see it", async () => {
    const { status, exchange } = await ask(KEYS, { "x-api-key": alice.key });
    expect(status).toBe(200);
    expect(exchange.caller).toEqual({ subject: "alice", scopes: ["read", "write"], by: "api_key" });
    expect(exchange.onward).toEqual([{ kind: "remove", name: "x-api-key", value: "" }]);
  });

  test("that is kept in hexadecimal digits and names no owner lets in who is called as it is", async () => {
    const { exchange } = await ask(KEYS, { "x-api-key": bob.key });
    expect(exchange.caller).toEqual({ subject: "bob", scopes: [], by: "api_key" });
  });

  test("says whose caller it is where its entry does", async () => {
    const { exchange } = await ask(withEntry({ tenant: "acme" }), { "x-api-key": bob.key });
    expect(exchange.caller).toEqual({ subject: "bob", scopes: [], by: "api_key", tenant: "acme" });
  });

  test("has its tenant in the request's span, and nothing there where it has none", async () => {
    const span = trace.wrapSpanContext({ traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 1 });
    const recorded: [string, unknown][] = [];
    span.setAttribute = (name, value) => {
      recorded.push([name, value]);
      return span;
    };
    const traced = { trace: trace.setSpan(ROOT_CONTEXT, span) };
    const part = (entry: object) => authentication({ ...withEntry(entry), optional: true }, memory())(next);
    const session = { subject: "bob", scopes: [], by: "session", tenant: "rival" } as const;
    const headers = { "x-api-key": bob.key };
    await part({})(fakeExchange("/", { headers }, traced));
    await part({ tenant: "acme" })(fakeExchange("/", {}, traced));
    expect(recorded).toEqual([]);
    await part({ tenant: "acme" })(fakeExchange("/", { headers }, traced));
    await part({})(fakeExchange("/", {}, { ...traced, caller: session }));
    expect(recorded).toEqual([
      ["skerry.tenant", "acme"],
      ["skerry.tenant", "rival"],
    ]);
  });

  test("is shown to the service where that is said", async () => {
    const { exchange } = await ask({ ...KEYS, forwardCredentials: true }, { "x-api-key": bob.key });
    expect(exchange.onward).toBeUndefined();
  });

  const random = "r".repeat(43);
  test.each([
    ["wrong", `sk_bob_${random}`],
    ["of nobody", `sk_nobody_${random}`],
    ["another's", alice.key.replace("alice-1", "bob")],
    ["sent twice", `${bob.key}, ${bob.key}`],
    ["empty", ""],
    ["named as a method of all objects", `sk_constructor_${random}`],
  ])("that is %s is refused, and the answer shows nothing of it", async (_, key) => {
    for (const settings of [KEYS, { ...KEYS, optional: true }]) {
      const { status, challenge, problem } = await ask(settings, { "x-api-key": key });
      expect(status).toBe(401);
      expect(challenge).toBe(
        'ApiKey realm="skerry", error="invalid_token", error_description="the API key is not known"',
      );
      expect(problem).toMatchObject({
        type: "/problems/credentials_not_valid",
        detail: "Checking who calls: the API key is not known.",
        instance: "/shop/v1/things",
      });
      expect(JSON.stringify(problem)).not.toContain(random);
    }
    expect(reached).toEqual([]);
  });

  test("lets in until it expires, whatever zone that is written in", async () => {
    const headers = { "x-api-key": bob.key };
    expect((await ask(withEntry({ expiresAt: "2026-06-01T00:00:00.001Z" }), headers)).status).toBe(200);
    const { problem } = await ask(withEntry({ expiresAt: "2026-06-01T02:00:00+02:00" }), headers);
    expect(problem?.detail).toBe("Checking who calls: the API key has expired.");
  });

  test("that is disabled is told so to nobody but who has it", async () => {
    const settings = withEntry({ disabled: true });
    const right = await ask(settings, { "x-api-key": bob.key });
    expect(right.problem?.detail).toBe("Checking who calls: the API key is disabled.");
    const wrong = await ask(settings, { "x-api-key": `sk_bob_${random}` });
    expect(wrong.problem?.detail).toBe("Checking who calls: the API key is not known.");
  });

  test("that was right costs no digest any longer, and is refused all the same once it is disabled", async () => {
    const remembering = memory();
    const asking = (settings: AuthenticationSettings) => {
      const exchange = fakeExchange("/", { headers: { "x-api-key": bob.key } });
      return authentication(settings, remembering)(next)(exchange);
    };
    expect((await asking(withEntry({}))).status).toBe(200);
    expect(remembering.digests.size()).toBe(1);
    expect((await asking(withEntry({ disabled: true }))).status).toBe(401);
    expect((await asking({ apiKeys: { keys: {} } })).status).toBe(401);
    expect((await asking({ apiKeys: { keys: { bob: { hash: alice.hash } } } })).status).toBe(401);
  });

  test("that is wrong is never remembered", async () => {
    const remembering = memory();
    const exchange = fakeExchange("/", { headers: { "x-api-key": `sk_bob_${random}` } });
    await authentication(KEYS, remembering)(next)(exchange);
    expect(remembering.digests.size()).toBe(0);
  });

  test("RFC 9110 §11.1: an API key may stand after a scheme in Authorization, in any case of letters", async () => {
    const settings = (scheme?: string): AuthenticationSettings => ({
      apiKeys: { ...(KEYS.apiKeys as object), keys: {}, header: "authorization", ...(scheme && { scheme }) },
    });
    const bearer: AuthenticationSettings = {
      apiKeys: { header: "authorization", keys: { bob: { hash: bob.hash } } },
    };
    const { status, exchange } = await ask(bearer, { authorization: `bEARER  ${bob.key}` });
    expect(status).toBe(200);
    expect(exchange.onward).toEqual([{ kind: "remove", name: "authorization", value: "" }]);
    const other = await ask(settings("Key"), { authorization: `Bearer ${bob.key}` });
    expect([other.status, other.challenge]).toEqual([401, 'Key realm="skerry"']);
    for (const authorization of ["Bearer", "Bearer x"])
      expect((await ask(bearer, { authorization })).problem?.type).toBe("/problems/credentials_not_valid");
  });
});

const CERTIFICATE = {
  certPresented: "1",
  certVerified: "SUCCESS",
  certRevoked: "0",
  certFingerprintSHA256: "ab".repeat(32),
  certSubjectDNRFC2253: "CN=billing,O=Example",
  certSubjectDN: "O=Example, CN=billing",
};
const MTLS: AuthenticationSettings = {
  mtls: {
    fingerprints: { ["ab".repeat(32)]: { owner: "billing", scopes: ["pay"] } },
    subjects: { "CN=billing,O=Example": { scopes: ["read"] } },
  },
};

describe("a client certificate", () => {
  test("says whose caller it is where its entry does", async () => {
    const settings = { mtls: { fingerprints: { ["ab".repeat(32)]: { tenant: "acme" } } } };
    expect((await ask(settings, {}, CERTIFICATE)).exchange.caller).toMatchObject({ tenant: "acme" });
  });

  test("is known by its fingerprint before its subject, and by its subject under a new fingerprint", async () => {
    expect((await ask(MTLS, {}, CERTIFICATE)).exchange.caller).toEqual({
      subject: "billing",
      scopes: ["pay"],
      by: "mtls",
    });
    const renewed = { ...CERTIFICATE, certFingerprintSHA256: "cd".repeat(32) };
    expect((await ask(MTLS, {}, renewed)).exchange.caller).toEqual({
      subject: "CN=billing,O=Example",
      scopes: ["read"],
      by: "mtls",
    });
  });

  test.each([
    ["verified", { certVerified: "FAILED:self signed certificate" }],
    ["verified", { certVerified: undefined }],
    ["verified", { certRevoked: "1" }],
    ["known", { certFingerprintSHA256: "", certSubjectDNRFC2253: "CN=other", certSubjectDN: "CN=other" }],
  ])("that is not %s is refused, also where nobody has to call", async (_, over) => {
    const { status, challenge } = await ask({ ...MTLS, optional: true }, {}, { ...CERTIFICATE, ...over });
    expect(status).toBe(401);
    expect(challenge).toMatch(/^ClientCertificate realm="skerry", error="invalid_token"/);
  });

  test("that was not presented is missing", async () => {
    for (const cf of [undefined, { certPresented: "0", certVerified: "NONE" }])
      expect((await ask(MTLS, {}, cf)).problem?.type).toBe("/problems/credentials_missing");
  });

  test("cannot be had by sending headers", async () => {
    const headers = {
      "cf-client-cert-verified": "SUCCESS",
      "client-cert": "x",
      "x-forwarded-client-cert": "x",
    };
    expect((await ask(MTLS, headers)).status).toBe(401);
  });
});

describe("several ways", () => {
  const ALL: AuthenticationSettings = { ...KEYS, ...MTLS, jwt: { issuers: [] } };

  test("RFC 6750 §3.1: who presents nothing is told of all ways, without an error", async () => {
    const { status, challenge, problem } = await ask(ALL);
    expect(status).toBe(401);
    expect(challenge).toBe('ApiKey realm="skerry", Bearer realm="skerry", ClientCertificate realm="skerry"');
    expect(problem).toMatchObject({
      type: "/problems/credentials_missing",
      detail:
        'Checking who calls: expected the header "x-api-key", or "Authorization: Bearer ...", or a client certificate.',
    });
  });

  test("the first that is presented decides, and what did not is not shown to the service either", async () => {
    const headers = { "x-api-key": bob.key, authorization: "Bearer not.a.token" };
    const { status, exchange } = await ask(ALL, headers, CERTIFICATE);
    expect(status).toBe(200);
    expect(exchange.caller?.by).toBe("api_key");
    expect(exchange.onward?.map(({ name }) => name)).toEqual(["x-api-key", "authorization"]);
  });

  test("one that is not valid is not made good by another", async () => {
    const headers = { authorization: "Bearer not.a.token" };
    expect((await ask({ ...ALL, optional: true }, headers, CERTIFICATE)).status).toBe(401);
  });

  test("credentials of another kind are the service's own affair", async () => {
    const { status, exchange } = await ask({ ...ALL, optional: true }, { authorization: "Basic YTpi" });
    expect([status, exchange.onward, exchange.caller]).toEqual([200, undefined, undefined]);
  });

  test("keys and tokens share the scheme Bearer: a key is what looks like one", async () => {
    const settings: AuthenticationSettings = {
      apiKeys: { header: "authorization", keys: { bob: { hash: bob.hash } } },
      jwt: { issuers: [] },
    };
    expect((await ask(settings, { authorization: `Bearer ${bob.key}` })).status).toBe(200);
    const { problem } = await ask(settings, { authorization: "Bearer a.b.c" });
    expect(problem?.detail).toBe("Checking who calls: the token is none that is taken here.");
  });

  test("RFC 9110 §15.5.2: where every way is off a 401 asks for a session, which alone may still let somebody in", async () => {
    for (const settings of [{}, { apiKeys: false, jwt: false, mtls: false } as const]) {
      const { status, challenge } = await ask(settings, { "x-api-key": bob.key });
      expect([status, challenge]).toEqual([401, 'Session realm="skerry"']);
    }
  });
});

describe("scopes", () => {
  const asAlice = { "x-api-key": alice.key };

  test.each([
    [{ scopes: ["read", "write"] }, 200],
    [{ scopes: ["read", "admin"] }, 403],
    [{ anyScope: ["admin", "write"] }, 200],
    [{ anyScope: ["admin"] }, 403],
    [{ scopes: ["read"], anyScope: ["admin"] }, 403],
    [{ scopes: ["rea"] }, 403],
    [{ scopes: ["READ"] }, 403],
  ])("%j answers %i to who may read and write", async (needed, status) => {
    expect((await ask({ ...KEYS, ...needed }, asAlice)).status).toBe(status);
    expect(reached).toHaveLength(status === 200 ? 1 : 0);
  });

  test("RFC 6750 §3.1: scopes that are missing are named with insufficient_scope", async () => {
    const { challenge, problem } = await ask({ ...KEYS, scopes: ["admin"], anyScope: ["a", "b"] }, asAlice);
    expect(challenge).toBe('ApiKey realm="skerry", error="insufficient_scope", scope="admin a b"');
    expect(problem).toMatchObject({ type: "/problems/scope_missing", status: 403 });
  });

  test("that are needed are needed of nobody, too", async () => {
    expect((await ask({ ...KEYS, optional: true })).status).toBe(200);
    expect((await ask({ ...KEYS, optional: true, scopes: ["read"] })).status).toBe(401);
  });

  test("more of them never let in less, and more that are needed never let in more", () => {
    const scopes = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
    fc.assert(
      fc.property(scopes, scopes, scopes, scopes, (held, all, any, more) => {
        const passes = mayPass(held, { all, any });
        const expected =
          all.every((s) => held.includes(s)) && (!any.length || any.some((s) => held.includes(s)));
        expect(passes).toBe(expected);
        if (passes) expect(mayPass([...held, ...more], { all, any })).toBe(true);
        else expect(mayPass(held, { all: [...all, ...more], any })).toBe(false);
      }),
    );
  });
});

test("what other parts have changed for the service stays", async () => {
  const exchange = fakeExchange("/", { headers: { "x-api-key": bob.key } });
  const edit: HeaderEdit = { kind: "set", name: "x-a", value: "1" };
  editOnward(exchange, edit);
  await authentication(KEYS, memory())(next)(exchange);
  expect(exchange.onward).toEqual([edit, { kind: "remove", name: "x-api-key", value: "" }]);
});

test("a session that was looked at before names the caller where no credential is presented", async () => {
  const caller = { subject: "ann", scopes: ["read"], by: "session" } as const;
  const askAs = (settings: AuthenticationSettings, headers: Record<string, string> = {}) =>
    authentication(settings, memory())(next)(fakeExchange("/shop/v1/things", { headers }, { caller }));
  expect((await askAs({})).status).toBe(200);
  expect((await askAs({ ...KEYS, scopes: ["read"] })).status).toBe(200);
  expect((await askAs({ ...KEYS, scopes: ["write"] })).status).toBe(403);
  expect((await askAs(KEYS, { "x-api-key": "sk_bob_wrong" })).status).toBe(401);
  expect(reached.map(({ caller }) => caller?.subject)).toEqual(["ann", "ann"]);
});
