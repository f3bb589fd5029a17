/** Holds which tokens are taken: signed by a key of their issuer, in time, for us, by an algorithm that may be. */
import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { handClock } from "#shared/identity/fake-identity.ts";
import { LIMITS } from "#shared/limits.ts";
import { fakeExchange } from "../../fake-exchange.ts";
import { authentication } from "./authentication.ts";
import { type AuthenticationMemory, authenticationMemory } from "./authentication-memory.ts";
import type { IssuerSettings } from "./authentication-schema.ts";
import { fakeIssuer } from "./fake-issuer.ts";

let time = handClock();
const issuer = await fakeIssuer("k1", () => time.clock());
const other = await fakeIssuer("k2", () => time.clock());
const rsa = await fakeIssuer("r1", () => time.clock(), "RS256");
const edwards = await fakeIssuer("e1", () => time.clock(), "EdDSA");

let memory: AuthenticationMemory;
let asked: number;
let answer: () => Promise<Response>;
beforeEach(() => {
  time = handClock();
  asked = 0;
  answer = async () => Response.json({ keys: [issuer.jwk] });
  memory = authenticationMemory({
    clock: () => time.clock(),
    sleep: () => new Promise(() => undefined),
    fetch: () => {
      asked += 1;
      return answer();
    },
  });
});

const FETCHED: IssuerSettings = {
  issuer: "https://issuer.example",
  audience: "api",
  jwksUrl: "https://issuer.example/keys",
};
const GIVEN: IssuerSettings = {
  issuer: "https://issuer.example",
  audience: ["api", "other"],
  jwks: { keys: [issuer.jwk, rsa.jwk, edwards.jwk] },
};

const ask = async (token: string, ...issuers: IssuerSettings[]) => {
  const exchange = fakeExchange("/", { headers: { authorization: `Bearer ${token}` } });
  const settings = { jwt: { issuers: issuers.length ? issuers : [GIVEN] } };
  const response = await authentication(settings, memory)(async () => new Response())(exchange);
  const description = /error_description="([^"]*)"/.exec(response.headers.get("www-authenticate") ?? "")?.[1];
  return { status: response.status, description, caller: exchange.caller, exchange };
};

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a token lets its subject in with its scopes, and the service does not see it", async () => {
  const { status, caller, exchange } = await ask(await issuer.token());
  expect(status).toBe(200);
  expect(caller).toEqual({ subject: "alice", scopes: ["read", "write"], by: "jwt" });
  expect(exchange.onward).toEqual([{ kind: "remove", name: "authorization", value: "" }]);
});

test("RFC 6750 §3.1: a refusal says invalid_token, and names no part of the token", async () => {
  const token = await issuer.token({ aud: "elsewhere" });
  const { status, description } = await ask(token);
  expect([status, description]).toEqual([401, "the token is meant for another audience"]);
});

describe("claims", () => {
  test.each([
    [{ aud: ["x", "api"] }, undefined],
    [{ aud: "other" }, undefined],
    [{ aud: ["x", "y"] }, "the token is meant for another audience"],
    [{ aud: undefined }, "the token is meant for another audience"],
    [{ aud: [] }, "the token is meant for another audience"],
    [{ aud: { api: true } }, "the token is meant for another audience"],
    [{ iss: "https://issuer.example/" }, "the token's issuer is not known"],
    [{ iss: undefined }, "the token's issuer is not known"],
    [{ exp: undefined }, "the token does not say when it expires"],
    [{ nbf: "now" }, "the token does not say from when on it holds"],
    [{ sub: undefined }, "the token does not say who its subject is"],
    [{ sub: "" }, "the token does not say who its subject is"],
    [{ sub: 7 }, "the token does not say who its subject is"],
  ])("RFC 7519 §4.1: a token with %j is refused: %s", async (claims, why) => {
    const { status, description } = await ask(await issuer.token(claims));
    expect([status, description]).toEqual([why ? 401 : 200, why]);
  });

  test.each([
    [{ scope: "a  b a" }, {}, ["a", "b"]],
    [{ scope: undefined }, {}, []],
    [{ permissions: ["a", 1, "b c", "d"] }, { scopesClaim: "permissions" }, ["a", "d"]],
    [{ "https://a.example/scp": "a" }, { scopesClaim: "https://a.example/scp" }, ["a"]],
    [{}, { scopesClaim: "constructor" }, []],
  ])("%j with %j allows %j", async (claims, settings, scopes) => {
    const { caller } = await ask(await issuer.token(claims), { ...GIVEN, ...settings });
    expect(caller?.scopes).toEqual(scopes);
  });

  test("the subject is what is said, with what is put before it", async () => {
    const settings = { ...GIVEN, subjectClaim: "client_id", subjectPrefix: "example:" };
    expect((await ask(await issuer.token({ client_id: "app" }), settings)).caller?.subject).toBe(
      "example:app",
    );
    expect((await ask(await issuer.token(), { ...GIVEN, subjectClaim: "__proto__" })).status).toBe(401);
  });

  test("whose caller it is says the issuer's entry, or the claim that is believed in it, and no other", async () => {
    const tenantOf = async (claims: object, settings: object) =>
      (await ask(await issuer.token(claims), { ...GIVEN, ...settings })).caller?.tenant;
    expect(await tenantOf({ tenant: "acme", org: "acme" }, {})).toBeUndefined();
    expect(await tenantOf({ org: "acme" }, { tenantClaim: "org" })).toBe("acme");
    expect(await tenantOf({}, { tenantClaim: "org" })).toBeUndefined();
    expect(await tenantOf({}, { tenantClaim: "__proto__" })).toBeUndefined();
    expect(await tenantOf({ tenant: "rival" }, { tenant: "acme" })).toBe("acme");
    for (const org of ["", "a.b", "*", ["acme"], 7, null]) {
      const { status } = await ask(await issuer.token({ org }), { ...GIVEN, tenantClaim: "org" });
      expect(status).toBe(401);
    }
  });

  test("one issuer may have several audiences with settings of their own", async () => {
    const issuers = [
      { ...GIVEN, audience: "web", subjectPrefix: "web:" },
      { ...GIVEN, audience: "app", subjectPrefix: "app:" },
    ];
    expect((await ask(await issuer.token({ aud: "app" }), ...issuers)).caller?.subject).toBe("app:alice");
  });
});

describe("time", () => {
  const seconds = () => Math.floor(time.clock() / 1_000);

  test.each([0, 60, 300])(
    "RFC 7519 §4.1.4: time is judged within %i seconds, exactly",
    async (clockSkewSeconds) => {
      const settings = { ...GIVEN, clockSkewSeconds };
      const token = await issuer.token({ nbf: seconds() + clockSkewSeconds, exp: seconds() + 1_000 });
      expect((await ask(token, settings)).status).toBe(200);
      const early = await issuer.token({ nbf: seconds() + clockSkewSeconds + 1 });
      expect((await ask(early, settings)).description).toBe("the token does not hold yet");
      time.pass((1_000 + clockSkewSeconds) * 1_000 - 1);
      expect((await ask(token, settings)).status).toBe(200);
      time.pass(1);
      expect((await ask(token, settings)).description).toBe("the token has expired");
    },
  );
});

describe("the algorithm", () => {
  test.each([
    ["ES256", () => issuer],
    ["RS256", () => rsa],
    ["EdDSA", () => edwards],
  ])("%s is taken by default", async (_, by) => {
    expect((await ask(await by().token())).status).toBe(200);
  });

  test("RFC 8725 §3.1: an algorithm that the settings do not name is refused", async () => {
    const { description } = await ask(await rsa.token(), { ...GIVEN, algorithms: ["ES256"] });
    expect(description).toBe("the token's algorithm is not allowed");
    const rs384 = await fakeIssuer("r3", () => time.clock(), "RS384");
    expect((await ask(await rs384.token(), { ...GIVEN, jwks: { keys: [rs384.jwk] } })).status).toBe(401);
  });

  test.each(["none", "None", "HS256", "HS512", "dir"])(
    "RFC 8725 §3.2: the algorithm %s is none that anything could allow",
    async (alg) => {
      const claims = (await issuer.token()).split(".")[1];
      const signed = `${encoded({ alg, kid: "r1" })}.${claims}`;
      // The classical confusion: the public key, which everybody has, as the secret of an HMAC.
      const mac = createHmac("sha256", JSON.stringify(rsa.jwk)).update(signed).digest("base64url");
      for (const token of [`${signed}.`, `${signed}.${mac}`]) {
        const { status, description } = await ask(token, { ...GIVEN, algorithms: [alg as "RS256"] });
        expect([status, description]).toEqual([401, "the token is none that is taken here"]);
      }
    },
  );

  test("RFC 8725 §3.1: an algorithm goes with the kind of key, and a key is not used for what it is not", async () => {
    const claims = (await issuer.token()).split(".").slice(1).join(".");
    const token = `${encoded({ alg: "RS256", kid: "k1" })}.${claims}`;
    expect((await ask(token)).description).toBe("the token's key is not known");
    for (const jwk of [
      { ...issuer.jwk, use: "enc" },
      { ...issuer.jwk, key_ops: ["sign"] },
      { ...issuer.jwk, alg: "ES384" },
    ])
      expect((await ask(await issuer.token(), { ...GIVEN, jwks: { keys: [jwk] } })).status).toBe(401);
  });

  test("RFC 7515 §4.1.11: a token with an extension that has to be understood is refused", async () => {
    expect((await ask(await issuer.token({}, { crit: ["b64"], b64: true }))).description).toBe(
      "the token is none that is taken here",
    );
  });
});

describe("the key", () => {
  test("need not be named where the set has few", async () => {
    expect((await ask(await issuer.token({}, { kid: undefined }))).status).toBe(200);
    const several = { ...GIVEN, jwks: { keys: [other.jwk, issuer.jwk] } };
    expect((await ask(await issuer.token({}, { kid: undefined }), several)).status).toBe(200);
  });

  test("RFC 7515 §4.1.4: the key must be the one that is named", async () => {
    const jwks = { keys: [issuer.jwk, other.jwk] };
    const token = await issuer.token({}, { kid: "k2" });
    expect((await ask(token, { ...GIVEN, jwks })).description).toBe("the token's signature is not right");
  });

  test("that cannot be imported has signed nothing", async () => {
    const broken = { ...issuer.jwk, x: "AA" };
    expect((await ask(await issuer.token(), { ...GIVEN, jwks: { keys: [broken] } })).status).toBe(401);
    const jwks = { keys: [broken, issuer.jwk] };
    expect((await ask(await issuer.token(), { ...GIVEN, jwks })).status).toBe(200);
  });

  test("RFC 8725 §3.10: a key that a token brings along is nobody's", async () => {
    const token = await other.token({}, { kid: "k1", jwk: other.jwk, jku: "https://evil.example/keys" });
    expect((await ask(token)).description).toBe("the token's signature is not right");
  });

  test("that is new is asked for when a token names it, and taken", async () => {
    expect((await ask(await issuer.token(), FETCHED)).status).toBe(200);
    answer = async () => Response.json({ keys: [other.jwk, issuer.jwk] });
    time.pass(LIMITS.keySetAgainMs);
    expect((await ask(await other.token(), FETCHED)).status).toBe(200);
    expect(asked).toBe(2);
  });

  test("that nobody has is asked for once in a while, whatever tokens come", async () => {
    await ask(await issuer.token(), FETCHED);
    time.pass(LIMITS.keySetAgainMs);
    for (const kid of ["x", "y", "z"])
      expect((await ask(await issuer.token({}, { kid }), FETCHED)).description).toBe(
        "the token's key is not known",
      );
    expect(asked).toBe(2);
  });

  test("that its issuer withdraws takes its tokens with it, known ones too", async () => {
    const token = await issuer.token();
    expect((await ask(token, FETCHED)).status).toBe(200);
    answer = async () => Response.json({ keys: [other.jwk] });
    time.pass(LIMITS.keySetFreshMs);
    expect((await ask(token, FETCHED)).description).toBe("the token's key is not known");
  });
});

describe("an issuer that is down", () => {
  test("leaves those in who have its tokens", async () => {
    await ask(await issuer.token(), FETCHED);
    answer = () => Promise.reject(new TypeError("no route"));
    time.pass(LIMITS.keySetKeptMs - 1);
    expect((await ask(await issuer.token({ sub: "new" }), FETCHED)).status).toBe(200);
  });

  test("and was never up is no fault of its tokens: 503", async () => {
    answer = () => Promise.reject(new TypeError("no route"));
    const exchange = fakeExchange("/", { headers: { authorization: `Bearer ${await issuer.token()}` } });
    const part = authentication({ jwt: { issuers: [FETCHED] }, optional: true }, memory);
    const response = await part(async () => new Response())(exchange);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      type: "/problems/unavailable",
      detail: "Checking who calls: the keys of the token's issuer cannot be had at the moment.",
    });
  });

  test("is not asked about tokens that have expired, or are not for us", async () => {
    await ask(await issuer.token({ exp: 1 }), FETCHED);
    await ask(await issuer.token({ aud: "elsewhere" }), FETCHED);
    expect(asked).toBe(0);
  });
});

describe("a token that was taken", () => {
  test("costs no signature check any longer, on no route that takes it as well", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const token = await issuer.token();
    for (const settings of [FETCHED, FETCHED, { ...FETCHED, subjectPrefix: "x:" }])
      expect((await ask(token, settings)).status).toBe(200);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(asked).toBe(1);
    verify.mockRestore();
  });

  test("is judged by each route's own settings all the same", async () => {
    const token = await issuer.token();
    expect((await ask(token, FETCHED)).status).toBe(200);
    expect((await ask(token, { ...FETCHED, audience: "admin" })).status).toBe(401);
    expect((await ask(token, { ...FETCHED, algorithms: ["RS256"] })).status).toBe(401);
    expect((await ask(token, { ...FETCHED, issuer: "https://other.example" })).status).toBe(401);
    expect((await ask(token, { ...GIVEN, jwks: { keys: [{ ...other.jwk, kid: "k1" }] } })).status).toBe(401);
  });

  test("is one of so many that are remembered, and one that was refused is none", async () => {
    for (const kid of ["x", "k2"]) await ask(await issuer.token({}, { kid }));
    expect(memory.tokens.size()).toBe(0);
    await ask(await issuer.token());
    expect(memory.tokens.size()).toBe(1);
  });
});

describe("a token is refused", () => {
  test("with any character changed", async () => {
    const token = await issuer.token();
    const characters = fc.constantFrom(..."AZaz09-_.=");
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: token.length - 1 }), characters, async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        fc.pre(changed !== token);
        expect((await ask(changed)).status).toBe(401);
      }),
      { numRuns: 200 },
    );
  });

  test.each(["", "a", "a.b", "..", "a.b.c.d.e", "{}.{}.", `${encoded({ alg: "ES256" })}.bnVsbA.AA`, "ü.ü.ü"])(
    "that is none: %j",
    async (token) => {
      expect((await ask(token)).status).toBe(401);
    },
  );

  test("that is too long, before it is read", async () => {
    const long = await issuer.token({ more: "x".repeat(LIMITS.credentialCharacters) });
    expect((await ask(long)).description).toBe(
      `the token has more than ${LIMITS.credentialCharacters} characters`,
    );
  });
});
