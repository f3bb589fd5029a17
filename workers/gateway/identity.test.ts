/** Holds who is told who calls: services of the platform, by a token that nobody else can make, and nobody else. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Upstream } from "#shared/http/upstream.ts";
import { newApiKey } from "#shared/identity/api-key.ts";
import { newIdentityJwk } from "#shared/identity/fake-identity.ts";
import { type IdentityJwk, publicJwks } from "#shared/identity/identity-keys.ts";
import { identityMinter } from "#shared/identity/identity-minter.ts";
import { identityVerifier } from "#shared/identity/identity-verifier.ts";
import { givenKeySet } from "#shared/identity/key-set-source.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { type FakeLink, fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { registeredServices } from "./registered-services.ts";

const HEADER = "skerry-internal-identity";

let link: FakeLink;
let lasting: Promise<unknown>[];
let seen: { readonly by: string; readonly path: string; readonly token: string | null }[];
let status: number;
let outside: Server;
let outsideUrl: string;
let jwk: IdentityJwk;

beforeAll(async () => {
  jwk = await newIdentityJwk("k1");
  outside = createServer(({ headers, url = "" }, response) => {
    seen.push({ by: "outside", path: url, token: [headers[HEADER] ?? null].flat()[0] ?? null });
    response.end("outside");
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  outsideUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
});
afterAll(() => void outside.close());

beforeEach(() => {
  lasting = [];
  seen = [];
  status = 200;
  link = fakeLink();
  link.register("orders", instance({ id: "orders" }));
  link.register("other", instance({ id: "other" }));
});

const service = (by: string): Upstream => ({
  async fetch({ url, headers }) {
    seen.push({ by, path: new URL(url).pathname, token: headers.get(HEADER) });
    return new Response(by, { status });
  },
});

const gateway = (written: object, key: IdentityJwk | null = jwk) => {
  const policies = fakePolicies();
  policies.configureAll(written);
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf: ({ id }) => service(id), random: seededRandom(1) }),
    ...policies,
    ...(key && {
      minter: identityMinter({ keys: [key], clock: systemClock }),
      identityKeys: publicJwks([key]),
    }),
    monitor: service("monitor"),
    control: service("control"),
    newRequestId: () => "made-here",
  });
  const context = {
    waitUntil: (work: Promise<unknown>) => void lasting.push(work),
    passThroughOnException() {},
    props: {},
  };
  return async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await app.fetch(new Request(new URL(path, "http://gateway"), { headers }), context);
    await Promise.all(lasting.splice(0));
    return answer;
  };
};

const callerIn = async (token: string | null | undefined) => {
  const keys = givenKeySet(publicJwks([jwk]));
  const verified = await identityVerifier({ keys, audience: "orders", clock: systemClock }).verify(
    token ?? "",
  );
  return verified.ok ? verified.value : verified.error;
};

test("a service is told that nobody has said who calls, whatever the client says", async () => {
  const ask = gateway({});
  await ask("/orders/v1/orders", { [HEADER]: "made.by.client" });
  await ask("/orders/v1/orders");
  expect(seen.map(({ token }) => token)).not.toContain("made.by.client");
  expect(await callerIn(seen[0]?.token)).toEqual({ subject: "anybody", scopes: [], by: "none" });
  expect(seen[1]?.token).toBe(seen[0]?.token);
});

test("a service is told who was found out to call", async () => {
  const { key, hash } = await newApiKey("partner");
  const keys = { partner: { hash, owner: "Partner Ltd", scopes: ["orders:read"] } };
  const ask = gateway({ policy: { authentication: { apiKeys: { keys } } } });
  expect((await ask("/orders/v1/orders", { "x-api-key": key })).status).toBe(200);
  expect(await callerIn(seen[0]?.token)).toEqual({
    subject: "Partner Ltd",
    scopes: ["orders:read"],
    by: "api_key",
  });
  expect((await ask("/orders/v1/orders")).status).toBe(401);
  expect(seen).toHaveLength(1);
});

test("whose caller it is goes with every attempt, copy and stand-in, and callers of the same name keep their own", async () => {
  const made = await Promise.all(
    ["acme", "rival"].map(async (tenant) => [tenant, await newApiKey(tenant)] as const),
  );
  const entries = made.map(([tenant, { hash }]) => [tenant, { hash, owner: "ann", tenant }]);
  const other = { service: "other", major: 1 };
  const ask = gateway({
    policy: { authentication: { apiKeys: { keys: Object.fromEntries(entries) } } },
    services: { orders: { mirror: { to: other, percentage: 100 }, fallback: { steps: [other] } } },
  });
  status = 503;
  const answers = made.map(([, { key }]) => ask("/orders/v1/c", { "x-api-key": key }));
  await Promise.all(answers);
  const told = await Promise.all(seen.map(async ({ by, token }) => ({ by, caller: await callerIn(token) })));
  for (const by of ["orders", "other"])
    for (const tenant of ["acme", "rival"]) {
      const caller = { subject: "ann", scopes: [], by: "api_key", tenant };
      expect(
        told.filter((one) => one.by === by && isDeepStrictEqual(one.caller, caller)).length,
      ).toBeGreaterThan(1);
    }
  expect(new Set(told.map(({ caller }) => JSON.stringify(caller))).size).toBe(2);
});

test("a fixed address gets none, nor does one that stands in for a service, or sees what goes there", async () => {
  const ask = gateway({
    routes: { away: { match: { path: "/away/*" }, to: { url: outsideUrl }, rewrite: { stripPrefix: 1 } } },
    services: {
      orders: { fallback: { steps: [{ url: outsideUrl }] } },
      other: { mirror: { to: { url: outsideUrl }, percentage: 100 } },
    },
  });
  await ask("/away/a", { [HEADER]: "made.by.client" });
  await ask("/other/v1/b");
  status = 503;
  await ask("/orders/v1/c");
  const told = seen.map(({ by, path, token }) => `${by} ${path} ${token !== null}`);
  expect(new Set(told)).toEqual(
    new Set([
      "outside /a false",
      "other /other/v1/b true",
      "outside /other/v1/b false",
      "orders /orders/v1/c true",
      "outside /orders/v1/c false",
    ]),
  );
});

test("a service that stands in for another is told, too", async () => {
  const ask = gateway({ services: { orders: { fallback: { steps: [{ service: "other", major: 1 }] } } } });
  status = 503;
  await ask("/orders/v1/c");
  const [last] = seen.filter(({ by }) => by === "other");
  expect(await callerIn(last?.token)).toMatchObject({ by: "none" });
});

test("its public keys are shown, and nothing of the private ones", async () => {
  const answer = await gateway({})("/.well-known/jwks.json");
  expect(answer.headers.get("content-type")).toBe("application/jwk-set+json");
  const text = await answer.text();
  expect(JSON.parse(text)).toEqual(publicJwks([jwk]));
  expect(text).not.toContain(jwk.d);
});

test("without keys nothing is said, and none are shown", async () => {
  const ask = gateway({}, null);
  expect((await ask("/orders/v1/orders", { [HEADER]: "made.by.client" })).status).toBe(200);
  expect(seen).toEqual([{ by: "orders", path: "/orders/v1/orders", token: null }]);
  expect(await (await ask("/.well-known/jwks.json")).json()).toEqual({ keys: [] });
});

test("a key that cannot sign sends nothing on", async () => {
  const other = await newIdentityJwk("k2");
  const answer = await gateway({}, { ...jwk, d: other.d.slice(0, 42), x: "" })("/orders/v1/orders");
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ type: "/problems/internal_error" });
  expect(seen).toEqual([]);
});

test("the gateway is ready with a key that signs, and says which it lacks: every service would refuse what it sends on", async () => {
  const identityOf = async (key: IdentityJwk | null) => {
    const answer = await gateway({}, key)("/readyz");
    const { checks } = (await answer.json()) as { checks: { name: string; detail?: string }[] };
    return [answer.status, checks.find(({ name }) => name === "identity")?.detail];
  };
  expect(await identityOf(jwk)).toEqual([200, undefined]);
  expect(await identityOf(null)).toEqual([
    503,
    "IDENTITY_PRIVATE_KEYS not set: expected as a secret of the worker",
  ]);
  expect(await identityOf({ ...jwk, d: "AAAA" })).toEqual([
    503,
    "the first key in IDENTITY_PRIVATE_KEYS cannot sign",
  ]);
});
