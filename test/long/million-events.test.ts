/** A million events of a hundred thousand aggregates on a real server: the last tenth of them costs what the first did. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsConnector, natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { commandActor } from "#shared/cqrs/command-actor.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { type ProjectorMethods, projectorActor } from "#shared/cqrs/projector-actor.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { median } from "../bench/figure.ts";
import { nodeSqliteReadStore } from "../bench/node-sqlite-read-store.ts";
import { testActorContext } from "../fake/actor-context.ts";
import { startNats, type TestNats } from "../setup/nats.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";
import {
  AGGREGATES,
  account,
  COMMITS,
  EVENTS,
  EVENTS_A_COMMIT,
  EVENTS_EACH,
  idOf,
  SERVICE,
  totalOfAll,
  writeMillion,
} from "./million-log.ts";
import { megabytes, SLOWER_MOST, say, type Tenths, tenthsOf } from "./tenths.ts";

const ALL = { whole: COMMITS, events: EVENTS };
const LOADED = 300;

let nats: TestNats;
let folder: TemporaryFolder;
let connector: NatsConnector;
let log: EventLog;
/** Median ms of a first command's load, among the aggregates of the first tenth and among all. */
const loads: number[] = [];
let written: Tenths;

beforeAll(async () => {
  nats = await startNats();
  folder = await temporaryFolder("million-events");
  connector = natsConnector({ url: nats.url, name: "test", clock: systemClock });
  log = jetStreamEventLog({ service: SERVICE, connector, clock: systemClock });
  await writeAll();
}, 150_000);
afterAll(async () => {
  await connector?.close();
  await nats?.dispose();
  await folder?.remove();
});

const writeAll = async () => {
  written = tenthsOf({ whole: AGGREGATES, events: EVENTS });
  await writeMillion(nats.url, async (accounts) => {
    written.reached(accounts);
    if (accounts === AGGREGATES / 10 || accounts === AGGREGATES) loads.push(await loadSome(accounts));
  });
};

/** Each by an Actor that has never seen it. @returns the median in ms */
const loadSome = async (among: number): Promise<number> => {
  const { methods } = commandActor({
    context: testActorContext(),
    log,
    aggregates: { account: account as Aggregate<unknown, object, DomainEvent> },
    clock: systemClock,
    random: Math.random,
    sleep,
  });
  const took: number[] = [];
  for (let n = 0; n < LOADED; n++) {
    const start = performance.now();
    const loaded = await methods.state({ type: "account", id: idOf(Math.floor((n * among) / LOADED)) });
    took.push(performance.now() - start);
    expect(loaded).toMatchObject({ ok: true, value: { version: EVENTS_EACH } });
  }
  return median(took);
};

test("writing stays as fast, and an aggregate is loaded as soon among a hundred thousand as among ten thousand", () => {
  written.expectFlat(`written, ${EVENTS_A_COMMIT} events a commit`);
  const [few = Number.NaN, all = Number.NaN] = loads;
  say(
    `loading one aggregate of ${EVENTS_EACH} events: ${few.toFixed(2)} ms among 10,000, ${all.toFixed(2)} ms among 100,000`,
  );
  expect(all / few).toBeLessThan(SLOWER_MOST);
});

test("the tail brings every event once and in order, the last tenth as fast as the first", async () => {
  const tenths = tenthsOf(ALL);
  const end = new AbortController();
  let events = 0;
  let last = 0;
  for await (const commits of log.tail({ after: 0, batchMax: LIMITS.projectionBatch, signal: end.signal })) {
    for (const commit of commits) {
      if (commit.position !== last + 1) throw new Error(`After ${last} came ${commit.position}`);
      last = commit.position;
      events += commit.events.length;
    }
    tenths.reached(last);
    if (last === COMMITS) break;
  }
  end.abort();
  expect(events).toBe(EVENTS);
  tenths.expectFlat("tail");
}, 120_000);

test("following from the end begins as soon as following from the beginning", async () => {
  const firstBatch = async (after: number): Promise<number> => {
    const end = new AbortController();
    const start = performance.now();
    for await (const [commit] of log.tail({ after, batchMax: 1, signal: end.signal })) {
      expect(commit?.position).toBe(after + 1);
      break;
    }
    end.abort();
    return performance.now() - start;
  };
  const took = { begin: [] as number[], end: [] as number[] };
  for (let n = 0; n < 9; n++) {
    took.begin.push(await firstBatch(n));
    took.end.push(await firstBatch(COMMITS - 1 - n));
  }
  const [begin, end] = [median(took.begin), median(took.end)];
  say(`first commit of a tail: ${begin.toFixed(1)} ms from the beginning, ${end.toFixed(1)} ms from the end`);
  expect(end / begin).toBeLessThan(SLOWER_MOST);
});

/** One row an account, its numbers added up: an event that was applied twice or never would show. */
const accounts: Projection = {
  name: "accounts",
  tables: ["account"],
  changes(commits) {
    const rows = new Map<string, { id: string; events: number; total: number }>();
    for (const { aggregate, events } of commits) {
      const { events: before, total } = rows.get(aggregate.id) ?? { events: 0, total: 0 };
      const received = events.reduce((sum, { data }) => sum + (data as { amount: number }).amount, 0);
      rows.set(aggregate.id, { id: aggregate.id, events: before + events.length, total: total + received });
    }
    return [{ change: "add", table: "account", key: ["id"], rows: [...rows.values()] }];
  },
};

/** Tells of each checkpoint that a batch has brought. */
const watched = (store: ReadStore, seen: (projection: string, to: number) => void): ReadStore => ({
  ...store,
  async apply(change) {
    const applied = await store.apply(change);
    seen(change.projection, change.to);
    return applied;
  },
});

test("a projection is filled and then rebuilt from all of them, the last tenth as fast as the first", async () => {
  const file = join(folder.path, "rows.sqlite");
  const database = new DatabaseSync(file);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL); CREATE TABLE account (id TEXT PRIMARY KEY, events INTEGER, total INTEGER)",
  );
  const sums = () =>
    database
      .prepare(
        "SELECT COUNT(*) AS rows, MIN(events) AS least, MAX(events) AS most, SUM(total) AS total FROM account",
      )
      .get();
  const tenths = { standing: tenthsOf(ALL), copy: undefined as Tenths | undefined };
  const store = watched(nodeSqliteReadStore(database), (projection, to) => {
    if (projection === accounts.name) tenths.standing.reached(to);
    else tenths.copy?.reached(to);
  });
  const actors = inProcessActors<ProjectorMethods>({
    folder: join(folder.path, "actors"),
    clock: systemClock,
    timers: { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as never) },
    create: (context) =>
      projectorActor({
        context,
        projection: accounts,
        source: SERVICE,
        log,
        store,
        peers: {
          named: (name) => expect.unreachable(`"${name}" was called, of a projection with one Actor`),
        },
        clock: systemClock,
        random: Math.random,
        sleep,
      }),
  });
  const whole = { rows: AGGREGATES, least: EVENTS_EACH, most: EVENTS_EACH, total: totalOfAll() };
  try {
    const projector = actors.named(accounts.name);
    expect(await projector.waitFor({ position: COMMITS, timeoutMs: 120_000 })).toBe(true);
    tenths.standing.expectFlat("projection filled, SQLite with synchronous = NORMAL");
    expect(sums()).toEqual(whole);

    tenths.copy = tenthsOf(ALL);
    await projector.rebuild({ keep: false });
    await expect
      .poll(async () => (await projector.details({})).rebuild?.phase, { timeout: 120_000, interval: 200 })
      .toBe("done");
    tenths.copy.expectFlat("projection rebuilt beside the standing one");
    expect(sums()).toEqual(whole);
  } finally {
    actors.close();
    database.close();
  }
  say(
    `the server stores ${megabytes(await storedBytes())}, and holds ${await residentOf(nats.pid)} in memory`,
  );
}, 240_000);

const storedBytes = async (): Promise<number> => {
  const connection = await connect({ servers: nats.url });
  const { state } = await (await jetstreamManager(connection)).streams.info(logStreamConfig(SERVICE).name);
  await connection.close();
  expect(state.messages).toBe(COMMITS);
  return state.bytes;
};

/** Where the system tells. */
const residentOf = async (pid: number | undefined): Promise<string> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return Number.isNaN(kilobytes) ? "an unknown amount" : megabytes(kilobytes * 1_024);
};
