/** Holds that a service takes the gateway's word for a caller, in time and for itself, and no other's. */
import * as fc from "fast-check";
import { compactVerify, importJWK, jwtVerify, SignJWT } from "jose";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LIMITS } from "../limits.ts";
import type { Caller } from "./caller.ts";
import { handClock, newIdentityJwk } from "./fake-identity.ts";
import { type IdentityJwk, publicJwks, readPrivateKeys, readPublicKeys } from "./identity-keys.ts";
import { identityMinter } from "./identity-minter.ts";
import { identityVerifier } from "./identity-verifier.ts";
import { givenKeySet } from "./key-set-source.ts";

const ALICE: Caller = { subject: "alice", scopes: ["orders:read", "orders:write"], by: "jwt" };
const HEADER = { alg: "EdDSA", typ: "skerry-identity+jwt", kid: "k1" };

let key: IdentityJwk;
let other: IdentityJwk;
let time: ReturnType<typeof handClock>;
beforeAll(async () => {
  [key, other] = [await newIdentityJwk("k1"), await newIdentityJwk("k2")];
});
beforeEach(() => {
  time = handClock();
});

const minter = (...keys: [IdentityJwk, ...IdentityJwk[]]) => identityMinter({ keys, clock: time.clock });
const verifier = (keys: readonly IdentityJwk[] = [key], audience = "orders") =>
  identityVerifier({ keys: givenKeySet(publicJwks(keys)), audience, clock: time.clock });
const fault = (why: string) => ({
  ok: false,
  error: {
    code: "identity_not_valid",
    detail: `Verifying who calls: the gateway's token was not taken, ${why}.`,
  },
});

/** A token by another implementation, with whatever in it. */
const signedByJose = async (claims: object, header: object = HEADER, by: IdentityJwk = key) => {
  const iat = Math.floor(time.clock() / 1_000);
  const all = {
    iss: "skerry-gateway",
    aud: "orders",
    sub: "alice",
    scope: "",
    by: "jwt",
    iat,
    exp: iat + 60,
  };
  return new SignJWT({ ...all, ...claims })
    .setProtectedHeader({ ...HEADER, ...header })
    .sign(await importJWK(by, "EdDSA"));
};

describe("a token", () => {
  test("names the caller, its scopes and its way, and is taken by every service", async () => {
    const token = await minter(key).mint(ALICE);
    for (const audience of ["orders", "catalog"])
      expect(await verifier([key], audience).verify(token)).toEqual({ ok: true, value: ALICE });
  });

  test("RFC 7515 §5.2: the gateway's token is what other implementations take, too, and the other way round", async () => {
    const token = await minter(key).mint(ALICE);
    const [jwk] = publicJwks([key]).keys;
    const read = await jwtVerify(token, await importJWK({ ...jwk } as never, "EdDSA"), {
      issuer: "skerry-gateway",
      audience: "skerry",
      currentDate: new Date(time.clock()),
    });
    expect(read.payload).toMatchObject({ sub: "alice", scope: "orders:read orders:write", by: "jwt" });
    expect((read.payload.exp ?? 0) - (read.payload.iat ?? 0)).toBe(LIMITS.identitySeconds);
    expect(read.protectedHeader).toEqual(HEADER);
    expect(await verifier().verify(await signedByJose({ scope: "a" }))).toEqual({
      ok: true,
      value: { subject: "alice", scopes: ["a"], by: "jwt" },
    });
  });

  test("for one service is taken by no other", async () => {
    const token = await minter(key).mint(ALICE, "catalog");
    expect(await verifier([key], "catalog").verify(token)).toMatchObject({ ok: true });
    expect(await verifier().verify(token)).toEqual(fault("it is meant for another service"));
  });

  test("keeps any subject as it is", async () => {
    const subjects = fc.string({ unit: "grapheme", maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(subjects, async (subject) => {
        const caller: Caller = { subject, scopes: [], by: "api_key" };
        expect(await verifier().verify(await minter(key).mint(caller))).toEqual({ ok: true, value: caller });
      }),
      { numRuns: 50 },
    );
  });

  test("says whose caller it is, and is another one for each tenant", async () => {
    const minting = minter(key);
    const acme = { ...ALICE, tenant: "acme" };
    const tokens = [
      await minting.mint(ALICE),
      await minting.mint(acme),
      await minting.mint({ ...ALICE, tenant: "rival" }),
    ];
    expect(new Set(tokens).size).toBe(3);
    expect(await verifier().verify(tokens[0] ?? "")).toEqual({ ok: true, value: ALICE });
    expect(await verifier().verify(tokens[1] ?? "")).toEqual({ ok: true, value: acme });
    for (const tenant of ["", "a.b", "*", "x".repeat(65), 7, null])
      expect(await verifier().verify(await signedByJose({ tenant }))).toMatchObject({ ok: false });
  });

  test("with any one character changed, added or left out is refused", async () => {
    const token = await minter(key).mint(ALICE);
    const characters = fc.constantFrom(..."AZaz09-_.=+ ");
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: token.length - 1 }),
        characters,
        fc.constantFrom(0, 1),
        async (at, character, left) => {
          const changed = token.slice(0, at) + character + token.slice(at + left);
          fc.pre(changed !== token);
          expect(await verifier().verify(changed)).toMatchObject({ ok: false });
          const shorter = token.slice(0, at) + token.slice(at + 1);
          expect(await verifier().verify(shorter)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("time", () => {
  test("ends a token after a minute and the clocks' difference, also one that was taken before", async () => {
    const [token, taking] = [await minter(key).mint(ALICE), verifier()];
    time.pass((LIMITS.identitySeconds + LIMITS.identitySkewSeconds) * 1_000 - 1);
    expect(await taking.verify(token)).toMatchObject({ ok: true });
    time.pass(1);
    expect(await taking.verify(token)).toEqual(fault("it has expired"));
    expect(await verifier().verify(token)).toEqual(fault("it has expired"));
  });

  test("may be a little behind the gateway's at a service, and no more", async () => {
    const ahead = Math.floor(time.clock() / 1_000) + LIMITS.identitySkewSeconds;
    expect(await verifier().verify(await signedByJose({ iat: ahead, exp: ahead + 60 }))).toMatchObject({
      ok: true,
    });
    const token = await signedByJose({ iat: ahead + 1, exp: ahead + 60 });
    expect(await verifier().verify(token)).toEqual(fault("it comes from the future"));
  });

  test("lets the same token be used for half of its life, so that it always has the other half left", async () => {
    const minting = minter(key);
    const first = await minting.mint(ALICE);
    time.pass(29_999);
    expect(minting.mint({ ...ALICE })).toBe(first);
    time.pass(1);
    expect(await minting.mint(ALICE)).not.toBe(first);
  });
});

test("callers, their ways, scopes and audiences never share a token", async () => {
  const minting = minter(key);
  const tokens = [
    await minting.mint(ALICE),
    await minting.mint({ ...ALICE, by: "api_key" }),
    await minting.mint({ ...ALICE, scopes: ["orders:read"] }),
    await minting.mint({ ...ALICE, subject: 'alice","' }),
    await minting.mint(ALICE, "catalog"),
  ];
  expect(new Set(tokens).size).toBe(5);
});

test("a token that was taken once costs no signature check, and one that was refused is not remembered", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const taking = verifier();
  const token = await minter(key).mint(ALICE);
  await taking.verify(token);
  expect(taking.verify(token)).toEqual({ ok: true, value: ALICE });
  expect(verify).toHaveBeenCalledTimes(1);
  const forged = await signedByJose({}, {}, { ...other, kid: "k1" });
  for (const _ of [1, 2]) expect(await taking.verify(forged)).toEqual(fault("its signature is not right"));
  expect(verify).toHaveBeenCalledTimes(3);
  verify.mockRestore();
});

describe("rotation", () => {
  test("goes by showing the new key first, signing by it then, and leaving the old one out last", async () => {
    const before = await minter(key).mint(ALICE);
    const after = await minter(other, key).mint(ALICE);
    for (const token of [before, after])
      expect(await verifier([key, other]).verify(token)).toMatchObject({ ok: true });
    expect(await verifier([other]).verify(before)).toEqual(fault("its key is not known"));
  });

  test("is no way in for a token that names another key than it was signed by", async () => {
    const token = await signedByJose({}, { kid: "k2" }, key);
    expect(await verifier([key, other]).verify(token)).toEqual(fault("its signature is not right"));
  });
});

describe("refused, for it does not have the expected form, is a token", () => {
  const form = fault("it does not have the expected form");

  test.each([
    ["of another type", { typ: "JWT" }],
    ["without a type", { typ: undefined }],
    ["without a key's id", { kid: undefined }],
    ["with a key of its own", { jwk: { kty: "OKP" } }],
    ["with an address for keys", { jku: "https://evil.example/keys" }],
  ])("%s", async (_, header) => {
    expect(await verifier().verify(await signedByJose({}, header))).toEqual(form);
  });

  test.each([
    ["no expiry", { exp: undefined }],
    ["an expiry that is a text", { exp: "9999999999" }],
    ["no subject", { sub: undefined }],
    ["an unknown way", { by: "magic" }],
    ["several audiences", { aud: ["orders", "catalog"] }],
    ["scopes that are none", { scope: 'a "b"' }],
  ])("with %s", async (_, claims) => {
    expect(await verifier().verify(await signedByJose(claims))).toEqual(form);
  });

  test("that says that it is not signed, or signed by a secret: its public key's bytes, for example", async () => {
    const token = await minter(key).mint(ALICE);
    const claims = token.split(".")[1];
    const unsigned = `${Buffer.from('{"alg":"none","typ":"skerry-identity+jwt","kid":"k1"}').toString("base64url")}.${claims}.`;
    expect(await verifier().verify(unsigned)).toEqual(form);
    const secret = Buffer.from(key.x, "base64url");
    const bySecret = await new SignJWT({ iss: "skerry-gateway", aud: "orders", sub: "root" })
      .setProtectedHeader({ ...HEADER, alg: "HS256" })
      .sign(secret);
    await expect(compactVerify(bySecret, secret)).resolves.toBeDefined();
    expect(await verifier().verify(bySecret)).toEqual(form);
  });

  test.each(["", ".", "..", "...", "a.b.c", "x".repeat(20_000)])("that is none: %j", async (token) => {
    expect(await verifier().verify(token)).toEqual(form);
  });
});

test("another issuer's token is refused, though its key be known", async () => {
  expect(await verifier().verify(await signedByJose({ iss: "elsewhere" }))).toEqual(
    fault("it is not the gateway's"),
  );
});

describe("keys as text", () => {
  test("are read back as they were written", () => {
    expect(readPrivateKeys(JSON.stringify({ keys: [key, other] }))).toEqual([key, other]);
    expect(readPublicKeys(JSON.stringify(publicJwks([key])))).toEqual(publicJwks([key]));
  });

  test("that are private are refused where public ones belong, and nothing shows them", () => {
    const reading = () => readPublicKeys(JSON.stringify({ keys: [key] }));
    expect(reading).toThrow("Reading the public identity keys: key 1 is none");
    expect(reading).not.toThrow(key.d);
    expect(JSON.stringify(publicJwks([key]))).not.toContain(key.d);
  });

  test.each(["", "{}", '{"keys":[]}', '{"keys":[null]}', '{"keys":[{"kty":"oct","k":"AA","kid":"a"}]}'])(
    "that are none are refused: %j",
    (text) => {
      expect(() => readPublicKeys(text)).toThrow("Reading the public identity keys");
      expect(() => readPrivateKeys(text)).toThrow("Reading the private identity keys");
    },
  );
});
