/** The same append, load and projection with Emmett on SQLite and on Postgres: one machine, one payload, in turns, in Node. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { sayOnTerminal } from "#cli/progress.ts";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { type ProjectorMethods, projectorActor } from "#shared/cqrs/projector-actor.ts";
import type { ProjectionShard } from "#shared/cqrs/rebuild.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { startPostgres } from "#test/setup/postgres.ts";
import { temporaryFolder } from "#test/setup/temporary-folder.ts";
import { ordersProjection } from "#workers/orders/projections/orders.ts";
import { appendOrder } from "./append-order.ts";
import type { BenchGround } from "./bench-system.ts";
import { type EmmettRival, emmettOnPostgres, emmettOnSqlite } from "./emmett-rivals.ts";
import { type Figure, NATS_DURABILITY } from "./figure.ts";
import { inTurns, repeated } from "./in-turns.ts";
import { loadsOf } from "./measure-load.ts";
import { placedOrder } from "./placed-order.ts";

const APPENDED = "bench-appended";
const PROJECTED = "bench-projected";
const IN_FLIGHT = [1, 64];
const LOADED = [10, 100, 1_000];
const PROJECTION_MS = 120_000;

/** A store for what is appended and loaded, and one for what is projected. */
type Start = (purpose: "appended" | "projected") => Promise<EmmettRival>;

export const measureEmmett = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const nats = await ground.startNats();
  const folder = await temporaryFolder("bench-emmett");
  const postgres = await startPostgres();
  if ("missing" in postgres)
    sayOnTerminal(`  NOT measured: Emmett on Postgres, for there is ${postgres.missing}`);
  const connection = await connect({ servers: nats.url });
  const connector = natsConnector({ url: nats.url, name: "bench", clock: systemClock });
  const logOf = (service: string) => jetStreamEventLog({ service, connector, clock: systemClock });
  try {
    const manager = await jetstreamManager(connection);
    for (const service of [APPENDED, PROJECTED]) await manager.streams.add(logStreamConfig(service));
    const orders = quick ? 2_000 : 20_000;
    await fillLogs(logOf(APPENDED), logOf(PROJECTED), orders);
    const starts: Start[] = [
      (purpose) => emmettOnSqlite(join(folder.path, purpose)),
      ...("missing" in postgres ? [] : [(purpose: string) => emmettOnPostgres(postgres, purpose)]),
    ];
    const figures: Figure[] = [];
    for (const start of starts) {
      figures.push(
        ...(await withRival(start, "appended", (rival) => measureWork(logOf(APPENDED), rival, quick))),
        await withRival(start, "projected", (rival) =>
          measureProjection(logOf(PROJECTED), rival, { orders, folder: folder.path, quick }),
        ),
      );
    }
    return figures;
  } finally {
    await connector.close();
    await connection.close();
    if (!("missing" in postgres)) await postgres.dispose();
    await folder.remove();
    await nats.stop();
  }
};

const withRival = async <T>(
  start: Start,
  purpose: "appended" | "projected",
  measure: (rival: EmmettRival) => Promise<T>,
): Promise<T> => {
  const rival = await start(purpose);
  try {
    return await measure(rival);
  } finally {
    await rival.close();
  }
};

const besideOf = ({ name, durability }: EmmettRival) => ({
  beside: `beside Emmett on ${name}`,
  durability: `${NATS_DURABILITY}; ${durability}`,
});

const measureWork = async (log: EventLog, rival: EmmettRival, quick: boolean): Promise<Figure[]> => {
  const turns = quick
    ? { pairs: 2, sliceMs: 300, warmUpMs: 300 }
    : { pairs: 6, sliceMs: 600, warmUpMs: 1_500 };
  const { beside, durability } = besideOf(rival);
  const figures: Figure[] = [];
  for (const inFlight of IN_FLIGHT) {
    figures.push({
      name: `append, ${inFlight} in flight, ${beside}`,
      unit: "appends/s",
      durability,
      ...(await inTurns({
        ours: repeated(inFlight, () => appendOrder(log)),
        bare: repeated(inFlight, () => rival.append(crypto.randomUUID())),
        ...turns,
      })),
    });
  }
  for (const events of LOADED) {
    const id = loadedId(events);
    await rival.fill(id, events);
    const bare = repeated(1, async () => assertLoaded(id, await rival.load(id)));
    const ours = {
      all: repeated(1, async () => assertLoaded(id, await loaded(log, id, events))),
      "from a snapshot": (await loadsOf(log, events, rival.name))[0],
    };
    for (const [how, slice] of Object.entries(ours)) {
      figures.push({
        name: `loading ${events.toLocaleString("en-US")} events, ${how}, ${beside}`,
        unit: "loads/s",
        durability,
        ...(await inTurns({ ours: slice, bare, ...turns })),
      });
    }
  }
  return figures;
};

const loadedId = (events: number) => `of-${events}`;

/** Reads and folds, without a snapshot, as Emmett does. */
const loaded = async (log: EventLog, id: string, events: number): Promise<object> => {
  const commits = await log.read({ type: "order", id });
  if (commits.length !== events) throw new Error(`Loading "${id}": ${commits.length}, expected ${events}`);
  return commits.flatMap((commit) => commit.events).reduce<object>((_, { data }) => data, {});
};

const assertLoaded = (id: string, state: object): void => {
  if (!("orderId" in state) || state.orderId !== id)
    throw new Error(`Loading "${id}": got ${JSON.stringify(state)}, expected its state`);
};

/** From an empty read model to the newest order, each side with an Actor or consumer that starts then. */
const measureProjection = async (
  log: EventLog,
  rival: EmmettRival,
  { orders, folder, quick }: { orders: number; folder: string; quick: boolean },
): Promise<Figure> => {
  // One after another: of what is appended side by side, its Postgres consumer passes over some (0.42.0).
  for (let order = 0; order < orders; order++) await rival.append(`order-${order}`);
  let runs = 0;
  const rate = async (side: "ours" | "emmett", project: () => Promise<void>) => {
    await rival.clear();
    const start = performance.now();
    await project();
    const seconds = (performance.now() - start) / 1_000;
    const { [side]: rows } = await rival.clear();
    if (rows !== orders) throw new Error(`Projecting ${orders} orders: ${rows} rows of ${side}`);
    return orders / seconds;
  };
  const { beside, durability } = besideOf(rival);
  const projectOurs = () => projected(log, rival, join(folder, `actors-${rival.name}-${runs++}`));
  return {
    name: `projecting ${orders.toLocaleString("en-US")} events, ${beside}`,
    unit: "events/s",
    durability: `${durability} (both)`,
    ...(await inTurns({
      ours: () => rate("ours", projectOurs),
      bare: () => rate("emmett", () => rival.project()),
      pairs: quick ? 1 : 3,
      sliceMs: 0,
      warmUpMs: 0,
    })),
  };
};

const projected = async (log: EventLog, { readStore }: EmmettRival, folder: string): Promise<void> => {
  const actors = inProcessActors<ProjectorMethods>({
    folder,
    clock: systemClock,
    timers: { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as never) },
    create: (context) =>
      projectorActor({
        context,
        projection: ordersProjection,
        source: PROJECTED,
        log,
        store: readStore,
        peers: NO_PEERS,
        clock: systemClock,
        random: Math.random,
        sleep,
      }),
  });
  try {
    const position = await log.lastPosition();
    const projector = actors.named(ordersProjection.name);
    const there = await projector.waitFor({ position, timeoutMs: PROJECTION_MS });
    if (!there)
      throw new Error(`Projecting: expected position ${position} within ${PROJECTION_MS / 1_000} s`);
  } finally {
    actors.close();
  }
};

const NO_PEERS: Actors<ProjectionShard> = {
  named: (name) => {
    throw new Error(`Calling "${name}": expected a projection of one Actor`);
  },
};

/** What is loaded, one event a commit, and what is projected, an order each. */
const fillLogs = async (appended: EventLog, projected: EventLog, orders: number): Promise<void> => {
  for (const events of LOADED) {
    let position = 0;
    for (let version = 0; version < events; version++) {
      const id = loadedId(events);
      position = await written(
        appended,
        { ...placedOrder(id), commandId: `${id}-${version}` },
        position,
        version,
      );
    }
  }
  let next = 0;
  const lane = async () => {
    while (next < orders) await written(projected, placedOrder(`order-${next++}`), 0, 0);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
};

const written = async (
  log: EventLog,
  order: ReturnType<typeof placedOrder>,
  expectedPosition: number,
  expectedVersion: number,
): Promise<number> => {
  const appended = await log.append({ ...order, expectedPosition, expectedVersion });
  if (!appended.ok) throw new Error(`Writing "${order.commandId}": refused as "${appended.error.code}"`);
  return appended.value.position;
};
