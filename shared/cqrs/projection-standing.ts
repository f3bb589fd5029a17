/** The read model that is read: brought forward by the log, held while another takes its place, mended by replays. */
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import { inSpan } from "../telemetry/span.ts";
import { inCommitSpans } from "./commit-spans.ts";
import { keyedMutex } from "./mutex.ts";
import type { Projection } from "./projection.ts";
import { applyCommits, reasonOf } from "./projection-apply.ts";
import {
  type Built,
  buildOf,
  declaredBuild,
  type ProjectionBuild,
  shardName,
  shardsOf,
} from "./projection-build.ts";
import { recordLag } from "./projection-lag.ts";
import { PARKED_BEHIND, type Parked, type ProjectionParking } from "./projection-parking.ts";
import { isForShard } from "./projection-shards.ts";
import type { Guard, ReadStore } from "./read-store.ts";
import { fenceName } from "./rebuild-fence.ts";

export interface StandingModel {
  /** Follows the log until something else has to be done, or the signal aborts. */
  follow(signal: AbortSignal, wentWell: () => void): Promise<void>;
  /** What it was built with, as last seen. */
  built(): Built | undefined;
  /** Whether its rows stay as they are, because nothing here knows how they go on. */
  stands(): boolean;
  /** Epoch ms of the oldest commit in hand that its rows lack; undefined when it has all that came. */
  lacksSince(): number | undefined;
  /** Stands from now on, until {@link StandingModel.resume}. */
  stand(): Promise<void>;
  /** Looks again what it is to do. */
  resume(): void;
  replay(id: string): Promise<Result<{ id: string }, Failure>>;
  /** Gives a parked commit up; what only waited behind it goes on. */
  drop(id: string, reason: string): Promise<Result<{ id: string }, Failure>>;
}

export interface StandingOptions {
  readonly projection: Projection;
  readonly shard: number;
  readonly source: string;
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly build: ProjectionBuild;
  readonly parked: ProjectionParking;
  /** Told each position that the rows hold. */
  readonly reach: (position: number) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
}

export const standingModel = (options: StandingOptions): StandingModel => {
  const { projection, shard, source, log, store, build, parked, reach, clock, sleep } = options;
  const { shards = 1 } = projection;
  const checkpoint = shardName(projection, shard);
  /** Whoever writes, replays or holds does so alone. */
  const mutex = keyedMutex();
  const alone = <T>(work: () => Promise<T>) => mutex("rows", work);
  let built: Built | undefined;
  let held = false;
  let lacksSince: number | undefined;
  let resumed = new AbortController();

  const concerns = (commit: Commit) => isForShard(commit, shards, shard);

  /** By what the standing rows go on; undefined where they have to stay as they are. */
  const changesFor = (now: Built | undefined): Projection["changes"] | undefined => {
    if (now?.state !== "standing") return undefined;
    if (now.build === declaredBuild(projection)) return (commits) => projection.changes(commits);
    const { former } = projection;
    if (former && now.build === buildOf(former.version, shards)) return (commits) => former.changes(commits);
    return undefined;
  };

  /** What the rows are of, and how to write some only as long as nobody changes that. */
  const readBuilt = async () => {
    const name = fenceName(projection.name);
    // The fence first: it is moved after the build is "changing", so whoever read the new one sees that too.
    const fence = { name, at: await store.checkpoint(name) };
    built = await build.read();
    return { built, guards: [fence, build.guard(built)] };
  };

  const look = () =>
    alone(async () => {
      const seen = await readBuilt();
      held = seen.built.state === "changing";
      const position = await store.checkpoint(checkpoint);
      // Checkpoints of another number of shards say nothing of these shards' rows.
      if (seen.built.state === "standing" && shardsOf(seen.built.build) === shards) reach(position);
      return { ...seen, position };
    });

  const untilResumed = async (signal: AbortSignal) => {
    const either = AbortSignal.any([signal, resumed.signal]);
    await sleep(LIMITS.projectionLookMs, either).catch(() => undefined);
  };

  const spanAttributes = (commits: readonly Commit[]) => ({
    "messaging.system": "nats",
    "messaging.operation.name": "project",
    "messaging.operation.type": "process",
    "messaging.destination.name": `log-${source}`,
    "messaging.consumer.group.name": checkpoint,
    "messaging.batch.message_count": commits.length,
  });

  const dropAttributes = (id: string, reason: string) => ({
    "messaging.system": "nats",
    "messaging.destination.name": `log-${source}`,
    "messaging.consumer.group.name": checkpoint,
    "messaging.message.id": id,
    "skerry.drop.reason": reason,
  });

  const follow = async (signal: AbortSignal, wentWell: () => void) => {
    resumed = new AbortController();
    const seen = await look();
    let from = seen.position;
    const changes = changesFor(seen.built);
    if (!changes) return untilResumed(signal);
    const { onFailure = "stop" } = projection;
    const apply = applyCommits({
      ...options,
      projection: projection.name,
      checkpoint,
      changes,
      guards: () => seen.guards,
      concerns,
      onFailure,
    });
    const end = AbortSignal.any([signal, resumed.signal]);
    for await (const commits of log.tail({ after: from, batchMax: LIMITS.projectionBatch, signal: end })) {
      const to = commits.at(-1)?.position ?? from;
      lacksSince ??= timeOf(commits[0]);
      const done = await alone(async () =>
        held
          ? "moved"
          : inCommitSpans(`project log-${source}`, spanAttributes(commits), commits, () =>
              apply(commits, from),
            ),
      );
      if (done === "moved") return;
      from = to;
      reach(to);
      recordLag(projection.name, clock() - (lacksSince ?? clock()));
      const caughtUp = commits.length < LIMITS.projectionBatch;
      lacksSince = undefined;
      wentWell();
      if (caughtUp) await sleep(LIMITS.projectionPauseMs);
    }
  };

  const register = `${checkpoint}!replays`;

  /** Exactly once: a mark that only this commit has moves with its rows, and is written down before. */
  const replayOne = async ({ event, commit }: Parked, { changes, guards }: Replaying) => {
    const last = await store.checkpoint(register);
    parked.settle(last);
    if (!parked.find(event.id)) return;
    const mark = commit.position * MARKS + (((last % MARKS) + 1) % MARKS);
    parked.replays(event.id, mark);
    const applied = await store.apply({
      projection: register,
      from: last,
      to: mark,
      changes: changes([commit]),
      guards,
    });
    if (applied === "moved") throw new Error("another replay came first");
    parked.remove(event.id);
  };

  /** Whether the rows stand before this one, or before one that is parked behind it. */
  const isAhead = async (commit: Commit): Promise<boolean> => {
    const position = await store.checkpoint(checkpoint);
    return (parked.lastPositionOf(commit) ?? 0) > position;
  };

  const drop = (id: string, reason: string) =>
    alone(async (): Promise<Result<{ id: string }, Failure>> => {
      const seen = await readBuilt();
      const changes = held ? undefined : changesFor(seen.built);
      // Its replay may have been made and not been heard of: then there is nothing to give up any more.
      parked.settle(await store.checkpoint(register));
      const found = parked.find(id);
      if (!found)
        return err({ code: "not_found", detail: `Cannot drop "${id}": nothing of this id is parked` });
      if (!changes)
        return err({ code: "unavailable", detail: `Dropping "${id}": its read model is being rebuilt` });
      if (await isAhead(found.commit))
        return err({ code: "unavailable", detail: `Dropping "${id}": its projection is not past it yet` });
      await inSpan(`drop log-${source}`, { attributes: dropAttributes(id, reason) }, async () =>
        parked.remove(id),
      );
      await replayBehind(found.commit, { ...seen, changes });
      return ok({ id });
    });

  const replay = (id: string) =>
    alone(async (): Promise<Result<{ id: string }, Failure>> => {
      const found = parked.find(id);
      if (!found)
        return err({ code: "not_found", detail: `Cannot replay "${id}": nothing of this id is parked` });
      const seen = await readBuilt();
      const changes = held ? undefined : changesFor(seen.built);
      if (!changes)
        return err({ code: "unavailable", detail: `Replaying "${id}": its read model is being rebuilt` });
      const first = parked.firstOf(found.commit);
      if (first && first.event.id !== id) {
        return err({ code: "replay_failed", detail: `Replaying "${id}": "${first.event.id}" comes first` });
      }
      try {
        // What the rows have not been brought past comes by itself once the parking lets it go: replayed before, it came twice.
        if (await isAhead(found.commit))
          return err({ code: "unavailable", detail: `Replaying "${id}": its projection is not past it yet` });
        await replayOne(found, { ...seen, changes });
      } catch (error) {
        return err({ code: "replay_failed", detail: `Replaying "${id}": ${reasonOf(error)}` });
      }
      await replayBehind(found.commit, { ...seen, changes });
      return ok({ id });
    });

  /** What only waited goes on by itself; one that fails now is parked for its own reason. */
  const replayBehind = async (commit: Commit, by: Replaying) => {
    for (;;) {
      const next = parked.firstOf(commit);
      if (next?.event.reason.code !== PARKED_BEHIND) return;
      try {
        await replayOne(next, by);
      } catch (error) {
        const reason = { code: "not_applied", detail: reasonOf(error) };
        return parked.park({ ...next, event: { ...next.event, reason, attempts: 1 } });
      }
    }
  };

  return {
    follow,
    built: () => built,
    stands: () => built !== undefined && changesFor(built) === undefined,
    lacksSince: () => lacksSince,
    stand: () =>
      alone(async () => {
        held = true;
      }),
    resume: () => resumed.abort(),
    replay,
    drop,
  };
};

interface Replaying {
  readonly changes: Projection["changes"];
  readonly guards: readonly Guard[];
}

/** Tells one replay of a commit from the next. */
const MARKS = 4_096;

const timeOf = (commit: Commit | undefined): number | undefined => {
  const time = Date.parse(commit?.events[0]?.time ?? "");
  return Number.isNaN(time) ? undefined : time;
};
