/** Configurations that their schema should not have let through. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { GATEWAY_CONFIG, type GatewayConfig } from "./contract.ts";
import { fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { registeredServices } from "./registered-services.ts";

const NO_POLICY = { cors: { origins: 5 } };
const NO_PATTERN = { match: { path: "no slash" }, to: { service: "orders" } };
const GOOD = {
  routes: { closed: { match: { path: "/catalog/v1/*" }, to: { service: "orders", major: 1 } } },
};

const gateway = () => {
  const link = fakeLink();
  for (const service of ["catalog", "orders"]) link.register(service, instance({ id: service }));
  const upstreamOf = ({ id }: { readonly id: string }) => ({ fetch: async () => new Response(id) });
  const upstream = upstreamOf({ id: "own" });
  let config: GatewayConfig = GATEWAY_CONFIG.parse({});
  const app = createPipeline({
    ...fakePolicies(),
    link,
    services: registeredServices({ link, upstreamOf, random: seededRandom(1) }),
    config: () => config,
    monitor: upstream,
    control: upstream,
    newRequestId: () => "made-here",
  });
  const context = { waitUntil: () => undefined, passThroughOnException() {}, props: {} };
  return {
    ask: (path: string) => app.fetch(new Request(new URL(path, "http://gateway")), context),
    /** Past the schema. */
    configure(more: object) {
      config = { ...GATEWAY_CONFIG.parse({}), ...more } as GatewayConfig;
    },
  };
};

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => void vi.restoreAllMocks());

test("a policy that cannot be put together closes its own service alone", async () => {
  const { ask, configure } = gateway();
  configure({ services: { catalog: NO_POLICY } });
  const refused = await ask("/catalog/v1/a");
  expect(refused.status).toBe(500);
  expect(await refused.json()).toMatchObject({ type: "/problems/internal_error" });
  expect(await (await ask("/orders/v1/a")).text()).toBe("orders");
  expect(console.warn).toHaveBeenCalledOnce();
});

test("routes that cannot be put together leave those before them in force", async () => {
  const { ask, configure } = gateway();
  configure(GOOD);
  expect(await (await ask("/catalog/v1/a")).text()).toBe("orders");
  configure({ routes: { ...GOOD.routes, broken: NO_PATTERN } });
  expect(await (await ask("/catalog/v1/a")).text()).toBe("orders");
  configure({});
  expect(await (await ask("/catalog/v1/a")).text()).toBe("catalog");
});

test("where there are none before them nothing is let through, and the gateway's own pages stay", async () => {
  const { ask, configure } = gateway();
  configure({ routes: { broken: NO_PATTERN } });
  const refused = await ask("/catalog/v1/a");
  expect(refused.status).toBe(500);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.headers.get("x-request-id")).toBe("made-here");
  expect((await ask("/healthz")).status).toBe(200);
});

test("no route is named as a way of the registry is, with which it would share what it remembers", () => {
  const named = (name: string) =>
    GATEWAY_CONFIG.safeParse({ routes: { [name]: GOOD.routes.closed } }).success;
  expect(["catalog/v1", "catalog/v12"].map(named)).toEqual([false, false]);
  expect(["catalog", "catalog/v1/x", "catalog/vip"].map(named)).toEqual([true, true, true]);
});
