/** Loading an aggregate that is not in memory, from its snapshot and from its whole history, by a command Actor in Node. */
import { performance } from "node:perf_hooks";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { ok } from "#shared/result.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import type { BenchGround } from "./bench-system.ts";
import { type Figure, NATS_DURABILITY } from "./figure.ts";
import { inTurns, type Slice } from "./in-turns.ts";
import { placedOrder } from "./placed-order.ts";

const SERVICE = "bench-load";
const EVENTS = [10, 100, 1_000];
const EVERY = 5;
/** Events since the snapshot: as many as there can be. */
const SINCE = EVERY - 1;
const SNAPSHOT_KEPT_MS = 5_000;

/** Remembers its last order; no command changes it, so that loading is all that there is to do. */
const orders = (snapshot: boolean): Aggregate<unknown, object, DomainEvent> => ({
  type: "order",
  initialState: () => ({}),
  evolve: (_, { data }) => data,
  decide: () => ok([]),
  ...(snapshot && { snapshot: { version: 1, every: EVERY } }),
});

export const measureLoad = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const nats = await ground.startNats();
  const connection = await connect({ servers: nats.url });
  const connector = natsConnector({ url: nats.url, name: "bench", clock: systemClock });
  try {
    await (await jetstreamManager(connection)).streams.add(logStreamConfig(SERVICE));
    const log = jetStreamEventLog({ service: SERVICE, connector, clock: systemClock });
    const turns = quick
      ? { pairs: 3, sliceMs: 200, warmUpMs: 300 }
      : { pairs: 8, sliceMs: 600, warmUpMs: 1_500 };
    const figures: Figure[] = [];
    for (const events of EVENTS) {
      const [ours, bare] = await loadsOf(log, events);
      figures.push({
        name: `loading ${events.toLocaleString("en-US")} events from a snapshot, beside all of them`,
        unit: "loads/s",
        durability: NATS_DURABILITY,
        ...(await inTurns({ ours, bare, ...turns })),
      });
    }
    return figures;
  } finally {
    await connector.close();
    await connection.close();
    await nats.stop();
  }
};

/** Two aggregates in turn, of which memory holds one: each load is the first. From a snapshot, and of all commits. */
export const loadsOf = async (
  log: EventLog,
  events: number,
  named = "of",
): Promise<[ours: Slice, bare: Slice]> => {
  const ids = [`${named}-${events}-a`, `${named}-${events}-b`];
  const kept = actorOver(log, true);
  for (const id of ids) {
    const written = await write(log, id, { position: 0, version: 0 }, events - SINCE);
    await load(kept.methods, id);
    await kept.untilKept(id);
    await write(log, id, written, SINCE);
  }
  const slice =
    (methods: CommandMethods): Slice =>
    async (ms) => {
      const start = performance.now();
      let loads = 0;
      for (; performance.now() - start < ms; loads++) await load(methods, ids[loads % 2] ?? "");
      return (loads * 1000) / (performance.now() - start);
    };
  return [slice(kept.methods), slice(actorOver(log, false).methods)];
};

const actorOver = (log: EventLog, snapshot: boolean) => {
  const context = testActorContext();
  const { methods } = commandActor({
    context,
    log,
    aggregates: { order: orders(snapshot) },
    clock: systemClock,
    random: Math.random,
    sleep,
    bounds: { ...LIMITS, cachedAggregates: 1 },
  });
  const snapshots = (id: string) =>
    context.sql.exec("SELECT 1 FROM snapshot WHERE aggregate = ?", `order/${id}`).length;
  const untilKept = async (id: string) => {
    for (const start = performance.now(); snapshots(id) === 0; await sleep(1)) {
      if (performance.now() - start > SNAPSHOT_KEPT_MS)
        throw new Error(`Keeping a snapshot of "${id}": expected that within ${SNAPSHOT_KEPT_MS} ms`);
    }
  };
  return { methods, untilKept };
};

const load = async (methods: CommandMethods, id: string): Promise<void> => {
  const loaded = await methods.execute({ type: "order", id, commandId: "look", command: {} });
  if (!loaded.ok) throw new Error(`Loading "${id}": refused as "${loaded.error.code}", expected its state`);
};

interface Written {
  readonly position: number;
  readonly version: number;
}

const write = async (log: EventLog, id: string, from: Written, commits: number): Promise<Written> => {
  let { position, version } = from;
  for (const end = version + commits; version < end; version++) {
    const appended = await log.append({
      ...placedOrder(id),
      expectedPosition: position,
      expectedVersion: version,
      commandId: `${id}-${version}`,
    });
    if (!appended.ok) throw new Error(`Appending to "${id}": refused as "${appended.error.code}"`);
    position = appended.value.position;
  }
  return { position, version };
};
