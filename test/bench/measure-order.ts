/** Placing an order through the gateway beside the bare path: worker → worker → Durable Object → conditional publish. */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { waitUntilReady } from "#cli/wait-until-ready.ts";
import { GATEWAY } from "#cli/workers.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { BenchGround, BenchSystem, BenchWorker } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { httpLoad } from "./http-load.ts";
import { inTurns, type Slice } from "./in-turns.ts";
import { putProduct, receiveStock } from "./shop-set-up.ts";

const AIM = 0.6;
const CONNECTIONS = 16;
const BARE_ENTRY = "bench-entry";
const READY_MS = 30_000;
const SETTLE_MS = 60_000;

/** Several, as in a shop: all orders of one product would wait for that product's stock, one after the other. */
const SKUS = Array.from({ length: 64 }, (_, index) => `MUG-${index}`);

const ORDERS = SKUS.map((sku) => ({
  method: "POST",
  path: "/orders/v1/orders",
  body: { customerId: "bench", lines: [{ sku, quantity: 2 }] },
}));

const BARE_PATH: readonly BenchWorker[] = [
  {
    name: "bench-orders",
    like: "bare-orders",
    options: { durableObjects: { PUBLISHERS: { className: "BarePublisher", useSQLite: true } } },
  },
  { name: BARE_ENTRY, like: "pass-through", options: { serviceBindings: { SERVICE: "bench-orders" } } },
];

export const measureOrder = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => [
  ...(await onOwnSystem(ground, (system) => measurePath(system, quick))),
  ...(await onOwnSystem(ground, (system, natsUrl) => measureSaga(system, natsUrl, quick))),
];

/** A system that nobody has asked whether it is ready, so its projections and processes still sleep. */
const onOwnSystem = async (
  ground: BenchGround,
  measure: (system: BenchSystem, natsUrl: string) => Promise<Figure[]>,
): Promise<Figure[]> => {
  const nats = await ground.startNats();
  try {
    await addBareStream(nats.url);
    const system = await ground.startSystem({ natsUrl: nats.url, beside: BARE_PATH });
    try {
      const gateway = await system.url(GATEWAY);
      for (const sku of SKUS) await putProduct(gateway, sku);
      return await measure(system, nats.url);
    } finally {
      await system.close();
    }
  } finally {
    await nats.stop();
  }
};

const addBareStream = async (natsUrl: string): Promise<void> => {
  const connection = await connect({ servers: natsUrl });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig("bare"));
  await connection.close();
};

const loadOrders = async (system: BenchSystem, worker: string): Promise<Slice> =>
  httpLoad({
    url: await system.url(worker),
    requests: ORDERS,
    expectedStatus: 202,
    connections: CONNECTIONS,
  });

const measurePath = async (system: BenchSystem, quick: boolean): Promise<Figure[]> => {
  const ours = await loadOrders(system, GATEWAY);
  const bare = await loadOrders(system, BARE_ENTRY);
  const turns = quick
    ? { pairs: 4, sliceMs: 500, warmUpMs: 1_000 }
    : { pairs: 12, sliceMs: 1_000, warmUpMs: 3_000 };
  const rates = await inTurns({ ours, bare, ...turns });
  return [{ name: "placing an order, nobody reacting", unit: "orders/s", aim: AIM, ...rates }];
};

/** All of the saga shares workerd's one thread with placing: what is placed faster than it is confirmed has to wait. */
const measureSaga = async (system: BenchSystem, natsUrl: string, quick: boolean): Promise<Figure[]> => {
  const gateway = await system.url(GATEWAY);
  for (const sku of SKUS) await receiveStock(gateway, sku, 1_000_000);
  await waitUntilReady(gateway, { boundMs: READY_MS });
  const ours = await loadOrders(system, GATEWAY);
  const confirmed = await confirmations(natsUrl);
  try {
    await ours(quick ? 500 : 2_000);
    const start = performance.now();
    const before = await confirmed.count();
    const rate = await ours(quick ? 2_000 : 8_000);
    const during = ((await confirmed.count()) - before) / (performance.now() - start);
    const settled = await confirmed.untilAll(SETTLE_MS);
    const overall = (settled - before) / (performance.now() - start);
    return [
      { name: "placing an order, the saga running", unit: "orders/s", ours: rate },
      { name: "orders confirmed while others are placed", unit: "orders/s", ours: during * 1000 },
      { name: "orders placed and confirmed, over all", unit: "orders/s", ours: overall * 1000 },
    ];
  } finally {
    await confirmed.close();
  }
};

/** An order that went well leaves three commits: placed, stock reserved, confirmed. */
const COMMITS_OF_ORDER = 3;

/** Counted in the log itself: asking the read model would load what is measured. */
const confirmations = async (natsUrl: string) => {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  const orders = async () => {
    const { state } = await manager.streams.info("log-orders", { subjects_filter: "log.orders.order.>" });
    return Object.values(state.subjects ?? {});
  };
  return {
    count: async () => (await orders()).filter((commits) => commits >= COMMITS_OF_ORDER).length,
    /** Waits until every order is confirmed. @throws Error when that takes longer than `boundMs` */
    async untilAll(boundMs: number) {
      const end = performance.now() + boundMs;
      while (performance.now() < end) {
        const all = await orders();
        if (all.every((commits) => commits >= COMMITS_OF_ORDER)) return all.length;
        await delay(100);
      }
      throw new Error(`Waiting for all orders to be confirmed: expected that within ${boundMs / 1000} s`);
    },
    close: () => connection.close(),
  };
};
