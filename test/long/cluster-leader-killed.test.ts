/** Holds what the log, read models and processes promise while the leader of a real cluster's stream is killed every few seconds. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { type JetStreamManager, jetstream, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import { type NatsConnector, natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { isServerFrom } from "#nats/server-version.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { type ProcessMethods, processActor } from "#shared/cqrs/process-actor.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { type ProjectorMethods, projectorActor } from "#shared/cqrs/projector-actor.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { ok } from "#shared/result.ts";
import type { ActorContext, ActorLogic, ActorMethods } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { sqliteReadStore } from "#shared/storage/sqlite-read-store.ts";
import { startD1Database } from "../fake/d1-database.ts";
import { natsPrograms } from "../setup/nats.ts";
import { type NatsCluster, startNatsCluster } from "../setup/nats-cluster.ts";
import { temporaryFolder } from "../setup/temporary-folder.ts";

const COUNTERS = 16;
const LANES = 6;
const RIVALS = 2;
const LANE_PAUSE_MS = 40;
/** Between two losses of a connection of who writes: what it had sent is then written, and nobody is told. */
const CUT_EVERY_MS = 40;
/** Between a leader's return and the next kill. */
const CALM_MS = 1_500;
const SETTLE_MS = 30_000;
/** Two servers of three elect another leader, or the one with the only replica starts again. */
const UNAVAILABLE_MS_MAX = 30_000;
/** In a cluster of older ones two writers that come at the same moment may both be taken: there one writer has to do. */
const GUARDS_TWO_WRITERS = [2, 11] as const;

/** What it decides tells what it was decided on: a commit that was decided on less than all before it shows. */
const counter: Aggregate<number, object, DomainEvent> = {
  type: "counter",
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: (_, count) =>
    ok([
      { type: "Counted", data: { count: count + 1 } },
      { type: "Counted", data: { count: count + 2 } },
    ]),
};

const effect: Aggregate<number, object, DomainEvent> = {
  type: "effect",
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: () => ok([{ type: "Done", data: {} }]),
};

/** A row tells how many events came and which was the last: one too many, too few or too early shows. */
const counts: Projection = {
  name: "counts",
  tables: ["counts"],
  changes: (commits) => {
    const events = commits.flatMap((commit) =>
      commit.events.map(({ version }) => [commit, version] as const),
    );
    const rows = new Map<string, { id: string; events: number }>();
    const last = new Map<string, { id: string; version: number }>();
    for (const [{ aggregate }, version] of events) {
      const { id } = aggregate;
      rows.set(id, { id, events: (rows.get(id)?.events ?? 0) + 1 });
      last.set(id, { id, version });
    }
    return [
      { change: "add", table: "counts", key: ["id"], rows: [...rows.values()] },
      { change: "update", table: "counts", key: ["id"], rows: [...last.values()] },
    ];
  },
};
const TABLES = [
  "CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)",
  "CREATE TABLE counts (id TEXT PRIMARY KEY, events INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0)",
];
const ROWS = "SELECT id, events, version FROM counts ORDER BY id";

const timers = {
  set: (run: () => void, ms: number) => setTimeout(run, ms),
  clear: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};
const runtime = { clock: systemClock, random: Math.random, sleep };
const idOf = (id: number) => `c${id}`;

interface LoggedCommit {
  readonly commandId: string;
  readonly position: number;
  readonly aggregateId: string;
  readonly versions: readonly number[];
  readonly counts: readonly unknown[];
}

/** The log as the servers hold it, read by their own client and taken apart by hand. */
const commitsOf = async (connection: NatsConnection, service: string): Promise<LoggedCommit[]> => {
  const { state } = await (await jetstreamManager(connection)).streams.info(`log-${service}`);
  const commits: LoggedCommit[] = [];
  if (state.messages === 0) return commits;
  const consumer = await jetstream(connection).consumers.get(`log-${service}`);
  for await (const message of await consumer.consume()) {
    const events = message.json<{ aggregateversion: number; data: { count?: number } }[]>();
    commits.push({
      commandId: message.headers?.get("Skerry-Command-Id") ?? "",
      position: message.seq,
      aggregateId: message.subject.split(".").at(-1) ?? "",
      versions: events.map(({ aggregateversion }) => aggregateversion),
      counts: events.map(({ data }) => data.count),
    });
    if (message.seq >= state.last_seq) break;
  }
  return commits;
};

const managed = async <T>(urls: readonly string[], work: (manager: JetStreamManager) => Promise<T>) => {
  const connection = await connect({ servers: [...urls], reconnect: false, timeout: 1_000 });
  try {
    return await work(await jetstreamManager(connection, { timeout: 1_000 }));
  } finally {
    await connection.close();
  }
};

/** Asks until it is answered, and until the answer is good. */
const eventually = async <T>(what: string, ask: () => Promise<T | undefined>, ms = SETTLE_MS): Promise<T> => {
  const end = systemClock() + ms;
  while (systemClock() < end) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await delay(50);
  }
  throw new Error(`Waited ${ms} ms in vain: ${what}`);
};

/** Clients that ask until they are told; what became of every command is known in the end. */
const startLoad = (
  actors: readonly CommandMethods[],
  rivals: readonly EventLog[],
  connectors: readonly NatsConnector[],
) => {
  const acknowledged = new Map<string, number>();
  const refused = new Set<string>();
  let last = systemClock();
  let longestMs = 0;
  let unanswered = 0;
  let ended = false;

  const acknowledge = (commandId: string, position: number) => {
    acknowledged.set(commandId, position);
    longestMs = Math.max(longestMs, systemClock() - last);
    last = systemClock();
  };
  const lane = async (number: number) => {
    for (let n = 0; !ended; n++) {
      const commandId = `lane${number}-${n}`;
      const request = { type: "counter", id: idOf((n * LANES + number) % COUNTERS), command: {}, commandId };
      for (let asked = number; ; asked++) {
        // Another Actor each time, as when the platform moves a shard while a client asks again.
        const execution = await actors[asked % actors.length]?.execute(request);
        if (execution?.ok) {
          acknowledge(commandId, execution.value.position);
          break;
        }
        if (execution?.error.code === "conflict") {
          refused.add(commandId);
          break;
        }
        expect(execution?.error.code).toBe("unavailable");
        unanswered++;
        await delay(50);
      }
      await delay(LANE_PAUSE_MS);
    }
  };
  /** Appends by itself on what it has seen a while ago, so that it is refused often. */
  const rival = async (log: EventLog, number: number) => {
    for (let n = 0; !ended; n++) {
      const commandId = `rival${number}-${n}`;
      const aggregate = { type: "counter", id: idOf(n % COUNTERS) };
      const seen = await log.last(aggregate).catch(() => null);
      await delay(n % 2 === 0 ? 1 : 3 * LANE_PAUSE_MS);
      if (seen === null) continue;
      const { position = 0, version = 0 } = seen ?? {};
      const events = [{ type: "Counted", data: { count: version + 1 } }];
      for (;;) {
        const append = { aggregate, expectedPosition: position, expectedVersion: version, commandId };
        const appended = await log.append({ ...append, at: systemClock(), events, trace: {} });
        if (appended.ok) acknowledge(commandId, appended.value.position);
        else if (appended.error.code === "conflict") refused.add(commandId);
        if (appended.ok || appended.error.code === "conflict") break;
        unanswered++;
        await delay(50);
      }
    }
  };
  const cut = async () => {
    for (let n = 0; !ended; n++) {
      await delay(CUT_EVERY_MS);
      await connectors[n % connectors.length]?.standing()?.close();
    }
  };
  const working = Promise.all([
    ...Array.from({ length: LANES }, (_, number) => lane(number)),
    ...rivals.map(rival),
    cut(),
  ]);
  return {
    acknowledged,
    refused,
    longestMs: () => longestMs,
    unanswered: () => unanswered,
    end: async () => {
      ended = true;
      await working;
    },
  };
};

/** Kills who leads the log and starts it again. @returns how often */
const killLeaders = async (
  cluster: NatsCluster,
  { replicas, forMs, answered }: { replicas: number; forMs: number; answered: () => number },
): Promise<number> => {
  const end = systemClock() + forMs;
  let kills = 0;
  const more = (than: number) => async () => (answered() > than ? true : undefined);
  for (; systemClock() < end; kills++) {
    const leader = await eventually("the log has a leader that runs", async () => {
      const { cluster: placed }: StreamInfo = await managed(cluster.urls, (it) =>
        it.streams.info("log-counters"),
      );
      return cluster.servers.find(({ name, pid }) => name === placed?.leader && pid !== undefined);
    });
    await leader.kill();
    if (replicas > 1) await eventually("two servers go on", more(answered()), UNAVAILABLE_MS_MAX);
    else await delay(300);
    await leader.restart();
    await eventually("commands are acknowledged again", more(answered()), UNAVAILABLE_MS_MAX);
    await delay(CALM_MS);
  }
  return kills;
};

const expectWhole = (commits: readonly LoggedCommit[], load: ReturnType<typeof startLoad>) => {
  const positions = new Map(commits.map(({ commandId, position }) => [commandId, position]));
  expect(positions.size, "no command stands twice").toBe(commits.length);
  expect(
    [...load.acknowledged].filter(([id, position]) => positions.get(id) !== position),
    "all that was acknowledged stands where it was said to",
  ).toEqual([]);
  expect(
    [...load.refused].filter((id) => positions.has(id)),
    "nothing stands that was refused",
  ).toEqual([]);
  expect(commits.length, "nothing else stands").toBe(load.acknowledged.size);
  const versions = new Map<string, number>();
  for (const commit of commits) {
    const before = versions.get(commit.aggregateId) ?? 0;
    const next = commit.versions.map((_, index) => before + index + 1);
    expect([commit.commandId, commit.versions, commit.counts]).toEqual([commit.commandId, next, next]);
    versions.set(commit.aggregateId, before + commit.versions.length);
  }
  return [...versions]
    .map(([id, version]) => ({ id, events: version, version }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
};

describe.each(await natsPrograms())("a cluster of NATS $version", (program) => {
  test.each([
    { replicas: 1, forMs: 30_000 },
    { replicas: 3, forMs: 60_000 },
  ])(
    "keeps every promise on $replicas replicas while the leader is killed again and again",
    async ({ replicas, forMs }) => {
      const cluster = await startNatsCluster(program);
      const folder = await temporaryFolder("leader-killed");
      const d1 = await startD1Database("orders");
      const sqlite = new DatabaseSync(join(folder.path, "rows.db"));
      const closing: (() => unknown)[] = [];
      try {
        for (const service of ["counters", "effects"])
          await managed(cluster.urls, (it) =>
            it.streams.add({ ...logStreamConfig(service), num_replicas: replicas }),
          );

        /** Each part has a connection of its own, as an isolate has. */
        const writers: NatsConnector[] = [];
        const logOf = (service: string, use: "writes" | "reads"): EventLog => {
          const connector = natsConnector({ url: cluster.urls.join(","), name: service, clock: systemClock });
          closing.push(() => connector.close());
          if (use === "writes") writers.push(connector);
          return jetStreamEventLog({ service, connector, clock: systemClock });
        };
        const actorOf = <Methods extends ActorMethods>(
          isolate: string,
          name: string,
          create: (context: ActorContext) => ActorLogic<Methods>,
        ) => {
          const actors = inProcessActors({
            folder: join(folder.path, isolate),
            create,
            clock: systemClock,
            timers,
          });
          closing.unshift(() => actors.close());
          return { methods: actors.named(name), close: () => actors.close() };
        };
        const commands = (isolate: string, service: string, aggregate: typeof counter): CommandMethods => {
          const log = logOf(service, "writes");
          const aggregates = { [aggregate.type]: aggregate };
          return actorOf(isolate, `${service}-0`, (context) =>
            commandActor({ context, log, aggregates, ...runtime }),
          ).methods;
        };
        const projector = (isolate: string, store: ReadStore): ProjectorMethods => {
          const log = logOf("counters", "reads");
          const peers = { named: (name: string) => Promise.reject(new Error(name)) as never };
          return actorOf(isolate, counts.name, (context) =>
            projectorActor({
              context,
              projection: counts,
              source: "counters",
              log,
              store,
              peers,
              ...runtime,
            }),
          ).methods;
        };

        for (const sql of TABLES) sqlite.exec(sql);
        await d1.database.batch(TABLES.map((sql) => d1.database.prepare(sql)));
        const inSqlite = sqliteReadStore({
          rows: async <Row>({ sql, params }: { sql: string; params: readonly (string | number | null)[] }) =>
            sqlite.prepare(sql).all(...params) as Row[],
          async run(statements) {
            sqlite.exec("BEGIN IMMEDIATE");
            try {
              for (const { sql, params } of statements) sqlite.prepare(sql).run(...params);
              sqlite.exec("COMMIT");
            } catch (error) {
              sqlite.exec("ROLLBACK");
              throw error;
            }
          },
        });
        const projectors = [
          projector("one", inSqlite),
          projector("two", inSqlite),
          projector("d1", d1ReadStore(d1.database)),
        ];

        const handled = new Map<string, number>();
        const doing = commands("effects", "effects", effect);
        const process: Process = {
          name: "do-effects",
          source: "counters",
          handles: ["Counted"],
          async handle(event, { aggregate }) {
            handled.set(event.id, (handled.get(event.id) ?? 0) + 1);
            return doing.execute({
              type: "effect",
              id: aggregate.id,
              command: {},
              commandId: event.id.replace("/", "_"),
            });
          },
        };
        const startProcess = () => {
          const log = logOf("counters", "reads");
          return actorOf<ProcessMethods>("process", process.name, (context) =>
            processActor({ context, process, log, ...runtime }),
          );
        };
        const first = startProcess();
        await Promise.all([...projectors, first.methods].map((one) => one.wake({})));

        const twoWriters = replicas === 1 || isServerFrom(program.version, GUARDS_TWO_WRITERS);
        const isolates = twoWriters ? ["one", "two"] : ["one"];
        const load = startLoad(
          isolates.map((isolate) => commands(isolate, "counters", counter)),
          Array.from({ length: twoWriters ? RIVALS : 0 }, () => logOf("counters", "writes")),
          writers,
        );
        const answered = () => load.acknowledged.size;
        let kills = await killLeaders(cluster, { replicas, forMs: forMs / 2, answered });
        // The process ends in the middle of what it does, and the next one has its SQLite alone.
        first.close();
        const { methods: second } = startProcess();
        await second.wake({});
        kills += await killLeaders(cluster, { replicas, forMs: forMs / 2, answered });
        await load.end();

        const connection = await connect({ servers: [...cluster.urls] });
        closing.push(() => connection.close());
        const commits = await commitsOf(connection, "counters");
        const expected = expectWhole(commits, load);
        const events = commits.flatMap(({ commandId, versions }) =>
          versions.map((_, index) => `${commandId}/${index}`),
        );
        const newest = commits.at(-1)?.position ?? 0;

        for (const one of projectors)
          await eventually(
            `a projection holds ${newest}`,
            async () => (await one.waitFor({ position: newest, timeoutMs: 1_000 })) || undefined,
          );
        expect(
          sqlite
            .prepare(ROWS)
            .all()
            .map((row) => ({ ...row })),
        ).toEqual(expected);
        expect((await d1.database.prepare(ROWS).all()).results).toEqual(expected);

        await eventually(`the process has done everything up to ${newest}`, async () => {
          const { floor, waiting } = await second.wake({});
          return (floor === newest && !waiting) || undefined;
        });
        expect((await second.wake({})).parked).toBe(0);
        expect([...handled.keys()].sort()).toEqual(events.toSorted());
        const effects = await commitsOf(connection, "effects");
        expect(effects.map(({ commandId }) => commandId).sort()).toEqual(
          events.map((id) => id.replace("/", "_")).sort(),
        );

        if (replicas > 1) {
          // What was told to be kept is not with the last leader alone.
          const { cluster: placed } = await managed(cluster.urls, (it) => it.streams.info("log-counters"));
          await cluster.servers.find(({ name }) => name === placed?.leader)?.kill();
          const others = cluster.servers.filter(({ pid }) => pid !== undefined).map(({ url }) => url);
          const told = await eventually("another leader tells the log", async () => {
            const other = await connect({ servers: others, reconnect: false });
            return commitsOf(other, "counters").finally(() => other.close());
          });
          expect(told).toEqual(commits);
        }
        globalThis.process.stdout.write(
          `  NATS ${program.version}, ${replicas} replicas: ${answered()} commands acknowledged, ${load.refused.size} refused as conflicts, ${load.unanswered()} asked again, ${kills} kills, longest without an acknowledgement ${load.longestMs()} ms\n`,
        );
        expect(kills).toBeGreaterThan(3);
        if (twoWriters) expect(load.refused.size).toBeGreaterThan(0);
      } finally {
        for (const close of closing) await close();
        sqlite.close();
        await d1.close();
        await cluster.dispose();
        await folder.remove();
      }
    },
  );
});
