/** Gateway → service beside a bare pass-through worker → the same service, all in one workerd. */
import { createHash } from "node:crypto";
import { GATEWAY } from "#cli/workers.ts";
import type { BenchGround, BenchSystem, BenchWorker } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { httpLoad } from "./http-load.ts";
import { inTurns } from "./in-turns.ts";
import { putProduct } from "./shop-set-up.ts";

const CONNECTIONS = 16;
const OK = "bench-ok";
const PASS_THROUGH = `bench-pass-through-${OK}`;
const PATH = "/catalog/v1/products/MUG";
const KEY = "sk_bench_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

const NO_PART = {
  deadlineMs: false,
  retry: false,
  breaker: false,
  outliers: false,
  balance: "weight",
  versions: false,
  lifecycle: false,
  limits: false,
};

/** Who calls, how often, and what the defaults have: deadline, retry, breaker, balance, outliers. */
const USUAL = {
  authentication: { apiKeys: { keys: { bench: { hash: createHash("sha256").update(KEY).digest("hex") } } } },
  rateLimit: { limit: 1_000_000, periodSeconds: 1, by: "caller" },
};

interface GatewayUnder {
  readonly name: string;
  readonly config: object;
  readonly routes?: number;
}

const GATEWAYS: Readonly<Record<string, GatewayUnder>> = {
  noPart: { name: "bench-gateway-no-part", config: { policy: NO_PART } },
  defaults: { name: "bench-gateway-defaults", config: {} },
  usual: { name: "bench-gateway-usual", config: { policy: USUAL } },
  routes1: { name: "bench-gateway-1", config: { policy: NO_PART }, routes: 1 },
  routes10: { name: "bench-gateway-10", config: { policy: NO_PART }, routes: 10 },
  routes100: { name: "bench-gateway-100", config: { policy: NO_PART }, routes: 100 },
  routes10000: { name: "bench-gateway-10000", config: { policy: NO_PART }, routes: 10_000 },
};

/** A gateway whose every service is the one that costs nothing, and its control plane. */
const gatewayUnder = ({ name, config, routes = 0 }: GatewayUnder): BenchWorker[] => [
  {
    name: `${name}-control`,
    like: "fixed-registry",
    options: { bindings: { GATEWAY_CONFIG: JSON.stringify(config), ROUTES: `${routes}` } },
  },
  {
    name,
    like: GATEWAY,
    options: {
      serviceBindings: {
        CATALOG: OK,
        ORDERS: OK,
        INVENTORY: OK,
        PAYMENTS: OK,
        MONITOR: "skerry-monitor",
        CONTROL: `${name}-control`,
      },
      kvNamespaces: ["SNAPSHOTS"],
      durableObjects: { RATE_LIMITS: { className: "RateLimits", useSQLite: true } },
      bindings: { SKERRY_PROFILE: "default" },
    },
  },
];

const LEAST = "bench-least-gateway";

const passThroughTo = (service: string): BenchWorker => ({
  name: `bench-pass-through-${service}`,
  like: "pass-through",
  options: { serviceBindings: { SERVICE: service } },
});

interface Asked {
  readonly worker: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Turns {
  readonly pairs: number;
  readonly sliceMs: number;
  readonly warmUpMs: number;
}

const comparing =
  (system: BenchSystem, turns: Turns) =>
  async (ours: Asked, bare: Asked, connections = CONNECTIONS) => {
    const load = async ({ worker, path = PATH, headers = {} }: Asked) =>
      httpLoad({
        url: await system.url(worker),
        requests: [{ method: "GET", path, headers }],
        expectedStatus: 200,
        connections,
      });
    return inTurns({ ours: await load(ours), bare: await load(bare), ...turns });
  };

type Compare = ReturnType<typeof comparing>;

const nameOf = (gateway: keyof typeof GATEWAYS): string => GATEWAYS[gateway]?.name ?? "";
const unit = "requests/s";

const byPolicy = async (compare: Compare): Promise<Figure[]> => {
  const bare = { worker: PASS_THROUGH };
  const usual = { worker: nameOf("usual"), headers: { "x-api-key": KEY } };
  return [
    {
      name: 'gateway, no part on → "ok"',
      unit,
      aim: 0.85,
      ...(await compare({ worker: nameOf("noPart") }, bare)),
    },
    { name: 'the least gateway → "ok"', unit, ...(await compare({ worker: LEAST }, bare)) },
    {
      name: "gateway, no part on, beside the least gateway",
      unit,
      ...(await compare({ worker: nameOf("noPart") }, { worker: LEAST })),
    },
    { name: 'gateway, the defaults → "ok"', unit, ...(await compare({ worker: nameOf("defaults") }, bare)) },
    {
      name: 'gateway, the defaults with keys and a limit → "ok"',
      unit,
      aim: 0.7,
      ...(await compare(usual, bare)),
    },
    await added("gateway, no part on, adds to one request", compare, { worker: nameOf("noPart") }),
    await added("gateway, the defaults, adds to one request", compare, { worker: nameOf("defaults") }),
    await added("gateway, the defaults with keys and a limit, adds to one request", compare, usual),
  ];
};

/** What one connection waits longer for. */
const added = async (name: string, compare: Compare, ours: Asked): Promise<Figure> => {
  const { ours: rate, bare } = await compare(ours, { worker: PASS_THROUGH }, 1);
  return { name, unit: "µs", ours: 1e6 / rate - 1e6 / bare };
};

const byRoutes = async (compare: Compare): Promise<Figure[]> => {
  const bare = { worker: PASS_THROUGH };
  const asked = (gateway: keyof typeof GATEWAYS, route: number) => ({
    worker: nameOf(gateway),
    path: `/r${route}/v1/products/MUG`,
  });
  return [
    { name: "gateway, 1 route", unit, ...(await compare(asked("routes1", 0), bare)) },
    { name: "gateway, 100 routes", unit, ...(await compare(asked("routes100", 50), bare)) },
    { name: "gateway, 10,000 routes", unit, ...(await compare(asked("routes10000", 5_000), bare)) },
    {
      name: "gateway, 10,000 routes beside 10",
      unit,
      aim: 1 / 1.2,
      ...(await compare(asked("routes10000", 5_000), asked("routes10", 5))),
    },
  ];
};

export const measureGateway = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const nats = await ground.startNats();
  const system = await ground.startSystem({
    natsUrl: nats.url,
    beside: [
      { name: OK, like: "ok", options: {} },
      ...Object.values(GATEWAYS).flatMap(gatewayUnder),
      passThroughTo(OK),
      { name: LEAST, like: "least-gateway", options: { serviceBindings: { SERVICE: OK } } },
      passThroughTo("skerry-catalog"),
    ],
  });
  const compare = comparing(
    system,
    quick ? { pairs: 2, sliceMs: 300, warmUpMs: 500 } : { pairs: 12, sliceMs: 1_000, warmUpMs: 3_000 },
  );
  try {
    await putProduct(await system.url(GATEWAY), "MUG");
    return [
      ...(await byPolicy(compare)),
      ...(await byRoutes(compare)),
      {
        name: "gateway, the defaults → a product of the catalog",
        unit,
        aim: 0.8,
        ...(await compare(
          { worker: GATEWAY },
          { worker: "bench-pass-through-skerry-catalog", headers: system.identity },
        )),
      },
    ];
  } finally {
    await system.close();
    await nats.stop();
  }
};
