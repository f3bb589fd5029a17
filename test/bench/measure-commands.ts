/** Commands a second through a command Actor, and how soon the read model shows them at a steady rate: all of it in workerd. */
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { GATEWAY } from "#cli/workers.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { BenchGround, BenchSystem, BenchWorker } from "./bench-system.ts";
import { type Figure, NATS_DURABILITY, quantile } from "./figure.ts";
import { httpLoad } from "./http-load.ts";
import { inTurns, type Slice } from "./in-turns.ts";
import { putProduct } from "./shop-set-up.ts";

const SERVICE = "skerry-orders";
const BARE = "bench-orders";
const CONNECTIONS = [16, 64];
const SKUS = Array.from({ length: 16 }, (_, index) => `MUG-${index}`);
const ORDERS_PATH = "/orders/v1/orders";

const LAG_MS_MAX = 250;
const A_SECOND = 500;
/** Commands a second until compilers and caches are warm. */
const WARM_UP = [A_SECOND / 10, A_SECOND];
/** Every so many-th order is waited for: a query for each would be measured, and not the projection. */
const LOOKED_AT = 5;
/** The rate counts as kept from here on. */
const KEPT = 0.98 * A_SECOND;

const BESIDE: readonly BenchWorker[] = [
  {
    name: BARE,
    like: "bare-orders",
    options: { durableObjects: { PUBLISHERS: { className: "BarePublisher", useSQLite: true } } },
  },
];

export const measureCommands = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => [
  ...(await onOwnSystem(ground, (system) => measureRate(system, quick))),
  ...(await onOwnSystem(ground, (system) => measureLag(system, quick))),
];

/** Nobody asks whether it is ready, so that its processes sleep: the projection wakes with the first query. */
const onOwnSystem = async (
  ground: BenchGround,
  measure: (system: BenchSystem) => Promise<Figure[]>,
): Promise<Figure[]> => {
  const nats = await ground.startNats();
  try {
    const connection = await connect({ servers: nats.url });
    await (await jetstreamManager(connection)).streams.add(logStreamConfig("bare"));
    await connection.close();
    const system = await ground.startSystem({ natsUrl: nats.url, beside: BESIDE });
    try {
      const gateway = await system.url(GATEWAY);
      for (const sku of SKUS) await putProduct(gateway, sku);
      return await measure(system);
    } finally {
      await system.close();
    }
  } finally {
    await nats.stop();
  }
};

const orderOf = (sku: string) => ({ customerId: "bench", lines: [{ sku, quantity: 2 }] });

/** Past the gateway: HTTP → worker → Actor → log and back, beside the same without what the platform does. */
const measureRate = async (system: BenchSystem, quick: boolean): Promise<Figure[]> => {
  const load = async (worker: string, connections: number): Promise<Slice> =>
    httpLoad({
      url: await system.url(worker),
      requests: SKUS.map((sku) => ({
        method: "POST",
        path: ORDERS_PATH,
        body: orderOf(sku),
        headers: system.identity,
      })),
      expectedStatus: 202,
      connections,
    });
  const turns = quick
    ? { pairs: 3, sliceMs: 500, warmUpMs: 1_000 }
    : { pairs: 8, sliceMs: 1_000, warmUpMs: 3_000 };
  const figures: Figure[] = [];
  for (const connections of CONNECTIONS) {
    const [ours, bare] = [await load(SERVICE, connections), await load(BARE, connections)];
    figures.push({
      name: `commands end to end, ${connections} connections, beside a bare Durable Object`,
      unit: "commands/s",
      durability: NATS_DURABILITY,
      ...(await inTurns({ ours, bare, ...turns })),
    });
  }
  return figures;
};

const measureLag = async (system: BenchSystem, quick: boolean): Promise<Figure[]> => {
  const shop = timedShop(await system.url(SERVICE), system.identity);
  try {
    for (const rate of WARM_UP) await atSteadyRate(shop, rate, quick ? 1_000 : 3_000);
    const { lags, rate } = await atSteadyRate(shop, A_SECOND, quick ? 3_000 : 20_000);
    const name = `from a command's answer to its row, at ${A_SECOND} commands a second`;
    const figure = { unit: "ms", durability: NATS_DURABILITY };
    return [
      { ...figure, name: `${name}, p50`, ours: quantile(lags, 0.5) },
      { ...figure, name: `${name}, p99`, ours: quantile(lags, 0.99), atMost: LAG_MS_MAX },
      { name: "… commands that were taken", unit: "commands/s", ours: rate, aim: KEPT },
    ];
  } finally {
    shop.close();
  }
};

interface TimedShop {
  /** Places an order; the answer's place and position, undefined when it was refused. */
  place(n: number): Promise<{ readonly path: string; readonly position: string } | undefined>;
  /** Answered as soon as the read model holds the position, with the row. */
  show(path: string, position: string): Promise<void>;
  close(): void;
}

/** An order each time that one is due, however many are on their way: a slow answer makes no rate slower. */
const atSteadyRate = async (shop: TimedShop, rate: number, ms: number) => {
  const lags: number[] = [];
  let done = 0;
  const order = async (n: number) => {
    const placed = await shop.place(n);
    if (!placed) return;
    done += 1;
    if (n % LOOKED_AT !== 0) return;
    const answered = performance.now();
    await shop.show(placed.path, placed.position);
    lags.push(performance.now() - answered);
  };
  const start = performance.now();
  const total = (ms * rate) / 1_000;
  const orders: Promise<void>[] = [];
  for (let n = 0; n < total; n++) {
    const early = start + (n * 1_000) / rate - performance.now();
    if (early > 0) await delay(early);
    orders.push(order(n));
  }
  await Promise.all(orders);
  return { lags, rate: (done * 1_000) / (performance.now() - start) };
};

const timedShop = (origin: string, identity: Readonly<Record<string, string>>): TimedShop => {
  const agent = new Agent({ keepAlive: true });
  const ask = (method: string, path: string, headers: Readonly<Record<string, string>>, body = "") =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const asked = request(
        `${origin}${path}`,
        { agent, method, headers: { ...identity, ...headers, "content-length": Buffer.byteLength(body) } },
        (answer) => {
          answer.resume().on("error", reject);
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
        },
      );
      asked.on("error", reject).end(body);
    });
  return {
    async place(n) {
      const body = JSON.stringify(orderOf(SKUS[n % SKUS.length] ?? ""));
      const { status, headers } = await ask(
        "POST",
        ORDERS_PATH,
        { "content-type": "application/json" },
        body,
      );
      if (status === 503) return undefined;
      if (status !== 202) throw new Error(`Placing an order: answered ${status}, expected 202`);
      return { path: String(headers.location), position: String(headers["skerry-position"]) };
    },
    async show(path, position) {
      const { status } = await ask("GET", path, { "skerry-min-position": position });
      if (status !== 200) throw new Error(`Asking for "${path}": answered ${status}, expected 200`);
    },
    close: () => agent.destroy(),
  };
};
