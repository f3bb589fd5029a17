/** Holds who is not heard any more after too many failed credentials, and who is all the same. */
import { beforeEach, describe, expect, test } from "vitest";
import { newApiKey } from "#shared/identity/api-key.ts";
import { LIMITS } from "#shared/limits.ts";
import { fakeExchange } from "../../fake-exchange.ts";
import { authentication } from "./authentication.ts";
import { type AuthenticationMemory, authenticationMemory } from "./authentication-memory.ts";
import type { AuthenticationSettings } from "./authentication-schema.ts";
import { fakeIssuer } from "./fake-issuer.ts";

const ada = await newApiKey("ada");
const bob = await newApiKey("bob");
const WRONG = `sk_ada_${"r".repeat(43)}`;
const HERE = "192.0.2.1";

let now: number;
let memory: AuthenticationMemory;
beforeEach(() => {
  now = Date.parse("2026-06-01T00:00:00Z");
  memory = authenticationMemory({
    clock: () => now,
    sleep: () => new Promise(() => undefined),
    fetch: () => Promise.reject(new TypeError("no network here")),
  });
});

const KEYS: AuthenticationSettings = {
  apiKeys: { keys: { ada: { hash: ada.hash }, bob: { hash: bob.hash } } },
};
const asking = (settings: AuthenticationSettings = KEYS) => {
  const handler = authentication(settings, memory)(async () => new Response("from the service"));
  return async (key: string | undefined, clientAddress: string | undefined = HERE) => {
    const headers = key === undefined ? {} : { "x-api-key": key };
    return handler(fakeExchange("/", { headers }, { clientAddress }));
  };
};
type Ask = ReturnType<typeof asking>;
const spend = async (ask: Ask, address: string | undefined = HERE, count = 20) => {
  for (let time = 0; time < count; time++) expect((await ask(WRONG, address)).status).toBe(401);
};

describe("a network whose failures are spent", () => {
  test("is refused before anything that it presents is looked at, and told when to come back", async () => {
    const ask = asking();
    await spend(ask);
    for (const key of [WRONG, ada.key, "sk_nobody_x", ""]) {
      const refused = await ask(key);
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
      expect(await refused.json()).toMatchObject({
        type: "/problems/rate_limited",
        detail:
          "Checking who calls: too many credentials from this network were not valid; expected no more of them for 3 s.",
      });
    }
    expect(memory.digests.size()).toBe(0);
  });

  test("is heard again as time goes by, for no more than the limit allows", async () => {
    const ask = asking();
    await spend(ask);
    now += 2_999;
    expect((await ask(WRONG)).status).toBe(429);
    now += 1;
    await spend(ask, HERE, 1);
    expect((await ask(WRONG)).status).toBe(429);
    now += 3_000;
    expect((await ask(ada.key)).status).toBe(200);
    now += 60_000;
    await spend(ask);
    expect((await ask(WRONG)).status).toBe(429);
  });

  test("does not lock out who was let in before, there or elsewhere", async () => {
    const ask = asking();
    expect((await ask(ada.key, "198.51.100.7")).status).toBe(200);
    await spend(ask);
    expect((await ask(ada.key)).status).toBe(200);
    expect((await ask(bob.key)).status).toBe(429);
    expect((await ask(bob.key, "192.0.2.2")).status).toBe(200);
    expect((await ask(bob.key)).status).toBe(200);
  });

  test("is told as others what it could present when it presents nothing", async () => {
    const ask = asking();
    await spend(ask);
    expect((await ask(undefined)).status).toBe(401);
    expect((await asking({ ...KEYS, optional: true })(undefined)).status).toBe(200);
  });

  test("is the same for all routes whose settings are the same, and after a change of others", async () => {
    await spend(asking());
    expect((await asking({ ...KEYS, scopes: ["read"] })(WRONG)).status).toBe(429);
    expect((await asking({ ...KEYS, failures: { limit: 21 } })(WRONG)).status).toBe(401);
  });

  test("is a /64 of IPv6", async () => {
    const ask = asking();
    for (let host = 1; host <= 20; host++) await spend(ask, `2001:db8:1:2::${host.toString(16)}`, 1);
    expect((await ask(WRONG, "2001:db8:1:2:ffff:1:2:3")).status).toBe(429);
    expect((await ask(WRONG, "2001:db8:1:3::1")).status).toBe(401);
  });
});

describe("what does not count", () => {
  const much = Array.from({ length: 50 });

  test("is nothing at all, and what is right", async () => {
    const ask = asking();
    for (const _ of much) expect((await ask(undefined)).status).toBe(401);
    for (const _ of much) expect((await ask(ada.key)).status).toBe(200);
    await spend(ask);
  });

  test("is a key that was right once: disabled, or expired", async () => {
    const gone = {
      ada: { hash: ada.hash, disabled: true },
      bob: { hash: bob.hash, expiresAt: "2026-01-01T00:00:00Z" },
    };
    const ask = asking({ apiKeys: { keys: gone } });
    for (const _ of much) {
      expect((await ask(ada.key)).status).toBe(401);
      expect((await ask(bob.key)).status).toBe(401);
    }
    await spend(ask);
  });

  test("is what comes from an address that is not known: one client would lock out all the others", async () => {
    const handler = authentication(KEYS, memory)(async () => new Response());
    for (const _ of much) {
      const exchange = fakeExchange("/", { headers: { "x-api-key": WRONG } });
      expect((await handler(exchange)).status).toBe(401);
    }
  });

  test("is anything where that is off", async () => {
    const ask = asking({ ...KEYS, failures: false });
    await spend(ask, HERE, 50);
  });
});

describe("tokens", async () => {
  const issuer = await fakeIssuer("k1", () => now);
  const other = await fakeIssuer("k1", () => now);
  const SETTINGS = { issuer: "https://issuer.example", audience: "api" };
  const tokensOf = (jwk: object) => ({ jwt: { issuers: [{ ...SETTINGS, jwks: { keys: [jwk] } }] } });
  const asker = (settings: object) => {
    const handler = authentication(settings, memory)(async () => new Response());
    return async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await handler(fakeExchange("/", { headers }, { clientAddress: HERE }))).status;
    };
  };

  test.each<[string, () => Promise<string>]>([
    ["signed by somebody else", () => other.token()],
    ["of another issuer", () => issuer.token({ iss: "https://other.example" })],
    ["that are none", async () => "x"],
    ["that are too long", async () => "x".repeat(LIMITS.credentialCharacters + 1)],
  ])("%s count", async (_, wrong) => {
    const ask = asker(tokensOf(issuer.jwk));
    for (let time = 0; time < 20; time++) expect(await ask(await wrong())).toBe(401);
    expect(await ask(await wrong())).toBe(429);
    expect(await ask(await issuer.token())).toBe(429);
  });

  test("that have expired do not: honest clients present them, many behind one address", async () => {
    const ask = asker(tokensOf(issuer.jwk));
    for (let time = 0; time < 50; time++)
      expect(await ask(await issuer.token({ exp: now / 1_000 - 3_600, jti: `${time}` }))).toBe(401);
    expect(await ask(await issuer.token())).toBe(200);
  });

  test("that were verified are heard whatever else comes from there, also when their issuer's keys change", async () => {
    const ask = asker(tokensOf(issuer.jwk));
    const token = await issuer.token();
    expect(await ask(token)).toBe(200);
    for (let time = 0; time < 20; time++) await ask(await other.token());
    expect(await ask(token)).toBe(200);
    expect(await asker(tokensOf({ ...issuer.jwk }))(token)).toBe(200);
    expect(await asker(tokensOf(other.jwk))(token)).toBe(401);
  });
});

test("what is configured is what is gone by", async () => {
  const ask = asking({ ...KEYS, failures: { limit: 1, periodSeconds: 10, burst: 3 } });
  await spend(ask, HERE, 3);
  const refused = await ask(WRONG);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
});

test("no more networks are remembered than fit, however many there are", async () => {
  const ask = asking();
  const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let index = 0; index < LIMITS.failedNetworks * 1.5; index++) await ask(WRONG, address(index));
  const { size } = memory.failureLimiter({ limit: 20, periodSeconds: 60, burst: 20 });
  expect(size()).toBeGreaterThan(LIMITS.failedNetworks / 4);
  expect(size()).toBeLessThanOrEqual(LIMITS.failedNetworks);
});
