/**
 * Holds that a read model is the fold of its log at every moment, whatever befalls its Actors and its store. The projector is
 * the real one, its store and log stand in virtual time; `SEED=n npx vitest run test/model/projections.test.ts` runs one again,
 * `SEEDS=20000` more of them.
 */
import { describe, expect, it } from "vitest";
import type { Projection } from "#shared/cqrs/projection.ts";
import { buildOf, shardName, shardsOf, versionOf } from "#shared/cqrs/projection-build.ts";
import { shardOf } from "#shared/cqrs/projection-shards.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { RowChange } from "#shared/cqrs/row-change.ts";
import type { Commit } from "#shared/events/event.ts";
import { type EventLog, LogUnavailable } from "#shared/events/event-log.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { memoryReadStore } from "../fake/memory-read-store.ts";
import { type TestProjectors, testProjectors } from "../fake/projectors.ts";
import { virtualTime } from "../fake/virtual-time.ts";
import { type Choose, exploreSeeds } from "./choices.ts";

const NAME = "numbers";
const AGGREGATES = ["a", "b", "c", "d"];
const ACTIONS = 18;
const COMMITS_MAX = 24;
const FAULTS_MAX = 8;
const QUIET_MS = 60_000;
/** Of all seeds together: 20,000 take minutes. */
const TIMEOUT_MS = 600_000;

/** What happened in all runs together: a simulation in which nothing happens holds nothing. */
type Tally = Record<"crashes" | "late" | "faults" | "takeOvers" | "parked" | "replays" | "waits", number>;
const newTally = (): Tally => ({
  crashes: 0,
  late: 0,
  faults: 0,
  takeOvers: 0,
  parked: 0,
  replays: 0,
  waits: 0,
});

interface Simulation {
  readonly choose: Choose;
  readonly tally: Tally;
  /** A second set of Actors with a SQLite of its own, as a process that nobody knows of. */
  readonly stranger: boolean;
}

/** Each commit's row tells how often it was applied and by which version, each aggregate's the last that was applied. */
const changesOf =
  (version: number, refuses: (commit: Commit) => boolean) =>
  (commits: readonly Commit[]): RowChange[] => {
    const last = new Map<string, { aggregate: string; position: number }>();
    for (const { aggregate, position } of commits)
      last.set(aggregate.id, { aggregate: aggregate.id, position });
    const refused = commits.find(refuses);
    if (refused) throw new Error(`cannot apply ${refused.position}`);
    const numbers = commits.map(({ position }) => ({ n: position, sum: version }));
    return [
      { change: "add", table: "numbers", key: ["n"], rows: numbers },
      { change: "upsert", table: "last", key: ["aggregate"], rows: [...last.values()] },
    ];
  };

/** @throws Error with what was seen that must never be */
const simulate = async ({ choose, tally, stranger }: Simulation): Promise<void> => {
  const oneOf = <T>(...all: readonly [T, ...T[]]): T => all[choose(all.length)] ?? all[0];
  const time = virtualTime();
  const memory = memoryReadStore("numbers", "last");
  const log = memoryEventLog(time.clock);
  const commits: Commit[] = [];
  const poisoned = new Set<number>();
  const onFailure = stranger ? "stop" : oneOf("stop" as const, "park" as const);
  let faults = choose(FAULTS_MAX + 1);
  let violation: Error | undefined;

  const refuses = ({ position }: Commit) => poisoned.has(position);
  const declare = (version: number, shards: number, keepsFormer: boolean): Projection => ({
    name: NAME,
    version,
    shards,
    tables: ["numbers", "last"],
    onFailure,
    changes: changesOf(version, refuses),
    ...(keepsFormer && { former: { version: version - 1, changes: changesOf(version - 1, refuses) } }),
  });
  const first = declare(1, oneOf(1, 1, 3), false);
  let projection = first;

  const mustHold = (holds: boolean, what: string) => {
    if (!holds) violation ??= new Error(`${what}; ${told()}`);
  };
  const told = () => {
    const rows = memory.rows("numbers").map(({ n, sum }) => `${n}:${sum}`);
    const checkpoints = [...memory.checkpoints].map(([name, at]) => `${name}=${at}`);
    return `the log has ${commits.map(({ aggregate }) => aggregate.id).join("")}, the rows ${rows.join(" ")}, ${checkpoints.join(" ")}`;
  };

  const build = () => memory.checkpoints.get(`${NAME}!build`) || buildOf(1, 1);
  const standingAt = (commit: Commit) => {
    const shards = shardsOf(build());
    return memory.checkpoints.get(shardName({ ...projection, shards }, shardOf(commit, shards))) ?? 0;
  };
  const newest = new Map<string, number>();
  /** What any reader may see at any moment. */
  const look = () => {
    for (const [name, at] of memory.checkpoints) {
      if (/[!@]/.test(name)) continue;
      mustHold(at >= (newest.get(name) ?? 0), `The checkpoint "${name}" went back from ${newest.get(name)}`);
      newest.set(name, at);
    }
    const rows = new Map(memory.rows("numbers").map(({ n, sum }) => [Number(n), Number(sum)]));
    const versions = new Set(rows.values());
    const isChanging = build() < 0;
    const version = versionOf(build());
    mustHold(
      isChanging || [...versions].every((one) => one === version),
      `Rows not once by version ${version}`,
    );
    mustHold(versions.size <= 1, "Rows of two versions, or twice applied");
    const last = new Map(memory.rows("last").map((row) => [row.aggregate, row.position]));
    for (const id of AGGREGATES) {
      const own = commits.filter(({ aggregate }) => aggregate.id === id);
      const applied = own.filter(({ position }) => rows.has(position));
      mustHold(
        own.slice(0, applied.length).every((one) => rows.has(one.position)),
        `"${id}" is not in order`,
      );
      mustHold(last.get(id) === applied.at(-1)?.position, `The last of "${id}" is ${last.get(id)}`);
      if (isChanging) continue;
      mustHold(
        applied.every((one) => one.position <= standingAt(one)),
        `Rows of "${id}" beyond the checkpoint`,
      );
      if (onFailure === "park") continue;
      mustHold(
        own.every((one) => rows.has(one.position) || one.position > standingAt(one)),
        `"${id}" lacks rows up to the checkpoint`,
      );
    }
  };

  const goesWrong = () => {
    if (faults === 0 || choose(10) > 0) return false;
    faults--;
    tally.faults++;
    return true;
  };
  const mayLag = async () => {
    if (choose(4) === 0) await time.sleep(choose(300));
  };

  /** The Actors of one deployment, or nobody for a while. */
  interface Deployed {
    up: boolean;
    actors: TestProjectors;
    now(): void;
    crash(): void;
  }
  const deployed = (actors: TestProjectors): Deployed => ({
    up: true,
    actors,
    now() {
      this.actors = this.actors.successor(projection);
      this.up = true;
      wake(this);
    },
    crash() {
      if (!this.up) return;
      tally.crashes++;
      this.up = false;
      this.actors.die();
      void time.sleep(choose(1_500)).then(() => this.up || this.now());
    },
  });

  const storeFor = (whose: () => Deployed) => {
    const around = async (method: string, call: () => Promise<unknown>) => {
      const landed = async () => {
        const answer = await call();
        if (answer === "taken") tally.takeOvers++;
        if (method !== "checkpoint") look();
        return answer;
      };
      await mayLag();
      if (!goesWrong()) return landed();
      switch (
        oneOf(
          "lost",
          "answer lost",
          "given up, lands late",
          "twice",
          "dies before",
          "dies, lands late",
          "dies after",
        )
      ) {
        case "given up, lands late":
          tally.late++;
          void time
            .sleep(choose(2_000))
            .then(landed, () => undefined)
            .catch(() => undefined);
          throw new Error(`${method}: no answer in time`);
        case "lost":
          throw new Error(`${method}: the store is away`);
        case "answer lost":
          await landed();
          throw new Error(`${method}: no answer`);
        case "twice":
          await landed();
          return landed();
        case "dies before":
          whose().crash();
          return undefined;
        case "dies, lands late":
          whose().crash();
          tally.late++;
          await time.sleep(choose(2_000));
          return landed();
        case "dies after":
          await landed();
          whose().crash();
          return undefined;
      }
    };
    return new Proxy(memory.store, {
      get: (store: ReadStore, method: keyof ReadStore) => (input: never) => {
        return around(method, () => store[method](input) as Promise<unknown>);
      },
    });
  };
  const away = () => new LogUnavailable("The log is away");
  const flakyLog: EventLog = {
    ...log,
    async lastPosition() {
      await mayLag();
      if (goesWrong()) throw away();
      return log.lastPosition();
    },
    async *tail(options) {
      await mayLag();
      for await (const batch of log.tail({ ...options, batchMax: 1 + choose(5) })) {
        await mayLag();
        if (goesWrong()) throw away();
        yield batch;
      }
    },
  };

  const start = (): Deployed => {
    const store = storeFor(() => self);
    const self: Deployed = deployed(testProjectors({ projection, log: flakyLog, store, time }));
    return self;
  };
  const wake = (one: Deployed) => void one.actors.projection.wake({}).catch(() => undefined);
  const own = start();
  const all = stranger ? [own, start()] : [own];
  for (const one of all) wake(one);

  const append = async () => {
    if (commits.length === COMMITS_MAX) return;
    const aggregate = { type: "letter", id: oneOf("a", "b", "c", "d") };
    const position = commits.length + 1;
    if (faults > 0 && choose(12) === 0) poisoned.add(position);
    const before = await log.last(aggregate);
    await log.append({
      aggregate,
      expectedPosition: before?.position ?? 0,
      expectedVersion: before?.version ?? 0,
      commandId: `c${position}`,
      at: time.clock(),
      events: [{ type: "Written", data: {} }],
      trace: {},
    });
    commits.push(...(await log.read(aggregate, { after: position - 1 })));
  };
  const waits = (one: Deployed) => {
    const position = 1 + choose(commits.length + 1);
    const answer = one.actors.projection.waitFor({ position, timeoutMs: 1 + choose(1_000) });
    void answer.then(
      (reached) => {
        if (!reached) return;
        tally.waits++;
        const rows = new Set(memory.rows("numbers").map(({ n }) => n));
        mustHold(position <= commits.length, `Waiting for ${position}: it was told to be there`);
        const lacking = commits.filter((commit) => commit.position <= position && !rows.has(commit.position));
        mustHold(onFailure === "park" || lacking.length === 0, `Waiting for ${position}: rows are lacking`);
        if (build() > 0)
          mustHold(
            lacking.every((commit) => standingAt(commit) >= position),
            `Waiting for ${position}: not looked at by then`,
          );
      },
      () => undefined,
    );
  };
  const replays = async (one: Deployed) => {
    const [parked] = await one.actors.projection.parked({ limit: COMMITS_MAX });
    if (!parked) return;
    if (choose(2) === 0) poisoned.delete(parked.position);
    const replayed = await one.actors.projection.replay({ id: parked.id });
    if (replayed.ok) tally.replays++;
  };
  const deploys = () => {
    if (stranger) return;
    const version = oneOf(1, 2, 2, 3);
    projection = declare(version, oneOf(1, 2, 3), version > 1 && choose(2) === 0);
    own.now();
  };
  const rebuilds = () => {
    if (!own.up) return;
    void own.actors.projection.rebuild({ keep: choose(2) === 0 }).catch(() => undefined);
  };

  const act = async () => {
    const one = oneOf(own, ...all);
    const { projection: asked } = one.actors;
    const ignored = () => undefined;
    switch (choose(14)) {
      case 0:
        return one.crash();
      case 1:
        return rebuilds();
      case 2:
        return own.up && choose(3) === 0
          ? void own.actors.projection.cancelRebuild({}).catch(ignored)
          : undefined;
      case 3:
        return deploys();
      case 4:
      case 5:
        return one.up ? waits(one) : undefined;
      case 6:
      case 7:
        return one.up ? void replays(one).catch(ignored) : undefined;
      case 8:
        return one.up ? void asked.wake({}).catch(ignored) : undefined;
      default:
        for (let n = choose(4); n >= 0; n--) await append();
    }
  };

  for (let n = 0; n < ACTIONS && !violation; n++) {
    await act();
    await time.pass(oneOf(0, 1, 30, 400, 1_500));
  }
  if (violation) throw violation;

  // Nothing goes wrong any more and what could not be applied can be: now all has to come right by itself.
  faults = 0;
  const settled = () =>
    build() === buildOf(projection.version ?? 1, projection.shards ?? 1) &&
    commits.every((commit) => standingAt(commit) === commits.length);
  poisoned.clear();
  for (const one of all) one.now();
  const end = time.clock() + QUIET_MS;
  /** Lets time pass until it is answered: what is asked of may have to wait for others. */
  const answered = async <T>(asked: Promise<T>): Promise<T> => {
    let pending = true;
    const settle = () => {
      pending = false;
    };
    asked.then(settle, settle);
    for (await time.settle(); pending; ) {
      if (violation) throw violation;
      if (time.clock() > end) throw new Error(`It does not come to an end; ${told()}`);
      await time.pass(500);
    }
    return asked;
  };
  const { projection: read } = own.actors;
  for (let done = false; !done; ) {
    const { outdated, rebuild } = await answered(read.details({}));
    if (outdated && rebuild?.phase === "cancelled") await answered(read.rebuild({ keep: false }));
    const isUnderWay = ["preparing", "filling", "taking over", "cancelling"].includes(rebuild?.phase ?? "");
    // Of an empty log there is nothing to rebuild.
    done = settled() && (!isUnderWay || commits.length === 0);
    await answered(time.sleep(500));
  }
  const missing = () => {
    const rows = new Set(memory.rows("numbers").map(({ n }) => n));
    return commits.filter(({ position }) => !rows.has(position)).map(({ position }) => position);
  };
  const parkedNow = () => answered(read.parked({ limit: COMMITS_MAX }));
  let parked = await parkedNow();
  tally.parked += parked.length;
  // One whose replay's answer was lost still stands there: the next replay finds out.
  const parkedAt = new Set(parked.map(({ position }) => position));
  mustHold(
    missing().every((position) => parkedAt.has(position)),
    `The rows lack ${missing()}, parked are ${[...parkedAt]}`,
  );
  for (; parked.length > 0; parked = await parkedNow()) {
    const replayed = await answered(read.replay({ id: parked[0]?.id ?? "" }));
    mustHold(replayed.ok, `Replaying ${parked[0]?.position}: ${JSON.stringify(replayed)}`);
    if (violation) throw violation;
    tally.replays++;
  }
  look();
  mustHold(missing().length === 0, `The rows lack ${missing()} after all was replayed`);
  for (const one of all) one.actors.die();
  if (violation) throw violation;
};

const simulated = async (usualSeeds: number, stranger: boolean): Promise<Tally> => {
  const tally = newTally();
  await exploreSeeds(Number(process.env.SEEDS ?? usualSeeds), (choose) =>
    simulate({ choose, tally, stranger }),
  );
  return tally;
};
/** One seed alone need not show all. */
const expectAll = (tally: Tally, ...names: readonly (keyof Tally)[]) => {
  if (process.env.SEED === undefined)
    for (const name of names) expect([name, tally[name]]).not.toEqual([name, 0]);
};

describe("a read model", () => {
  it(
    "is the fold of its log through crashes, lost answers, late writes, rebuilds, other versions and shards, parking and replays",
    async () => {
      const tally = await simulated(400, false);
      expectAll(tally, "crashes", "late", "faults", "takeOvers", "parked", "replays", "waits");
    },
    TIMEOUT_MS,
  );

  it(
    "is so with other Actors at work on it at once",
    async () => {
      const tally = await simulated(150, true);
      expectAll(tally, "crashes", "late", "faults", "takeOvers", "waits");
    },
    TIMEOUT_MS,
  );
});
