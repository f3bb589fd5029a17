/** Keeps one projection in step with its service's log, each commit applied exactly once, whoever retries. */
import type { EventLog } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import type { Result } from "../result.ts";
import type { ActorContext, ActorLogic, Actors } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { ParkedPage } from "./parking.ts";
import type { ParkedDetails } from "./process-actor.ts";
import type { Projection } from "./projection.ts";
import { CommitNotApplied } from "./projection-apply.ts";
import { declaredBuild, namesOfBuild, projectionBuild, versionOf } from "./projection-build.ts";
import { recordBehind } from "./projection-lag.ts";
import { type ParkedCommit, projectionParking } from "./projection-parking.ts";
import { standingModel } from "./projection-standing.ts";
import { positionWaiters } from "./projection-waiters.ts";
import { pump } from "./pump.ts";
import type { ReadStore } from "./read-store.ts";
import { type ProjectionShard, type RebuildProgress, rebuilding } from "./rebuild.ts";

export interface ProjectorStatus {
  projection: string;
  /** Position up to which the read model has been brought; undefined before the first look. */
  position?: number;
  /** Why it does not go on at the moment. */
  failure?: string;
  /** The commit that it stops at. */
  stoppedAt?: { readonly position: number; readonly eventId: string };
  /** Commits that it has put aside. */
  parked?: number;
  /** While the rows are of another version than the declared one; whether they stay as they are until they are rebuilt. */
  outdated?: { readonly version: number; readonly declared: number; readonly stands: boolean };
}

export interface ProjectionDetails extends ProjectorStatus {
  readonly version: number;
  readonly shards: number;
  /** Of the log; undefined while it cannot be reached. */
  readonly behindCommits?: number;
  /** Since the oldest commit that its rows lack, as far as it has come; 0 when it lacks none. */
  readonly behindSeconds: number;
  readonly rebuild?: RebuildProgress;
}

export type ProjectorMethods = ProjectionShard & {
  wake(input: Record<string, never>): Promise<ProjectorStatus>;
  /** True as soon as the read model holds everything up to the position, false after `timeoutMs`. */
  waitFor(input: { position: number; timeoutMs: number }): Promise<boolean>;
  /** As `wake`, and what an operator wants to know besides. */
  details(input: Record<string, never>): Promise<ProjectionDetails>;
  /** What is parked, in the log's order. */
  parked(input: ParkedPage): Promise<ParkedCommit[]>;
  /**
   * Applies a parked commit once more, and after it those that only waited behind it. Refuses with `not_found`,
   * `unavailable`, or `replay_failed` and why.
   */
  replay(input: { id: string }): Promise<Result<{ id: string }, Failure>>;
  /** One that is parked, with its first event whole; undefined when it is not. */
  parkedEvent(input: { id: string }): Promise<ParkedDetails | undefined>;
  /**
   * Gives a parked commit up; what only waited behind it goes on, and the reason stands on a span. Refuses with `not_found`,
   * or `unavailable` where that cannot be done now.
   */
  drop(input: { id: string; reason: string }): Promise<Result<{ id: string }, Failure>>;
  /** Begins a rebuild, or shows the one that is under way. */
  rebuild(input: { keep: boolean }): Promise<RebuildProgress>;
  /** Refuses with `not_found`, or `conflict` once the copy takes over. */
  cancelRebuild(input: Record<string, never>): Promise<Result<RebuildProgress, Failure>>;
  /** Drops the tables that a rebuild kept. */
  dropOld(input: Record<string, never>): Promise<Result<undefined, Failure>>;
};

export const projectorActor = ({
  context,
  projection,
  source,
  log,
  store,
  peers,
  clock,
  random,
  sleep,
}: {
  /** Named after the projection, or after it and the shard: `orders#2`. */
  context: ActorContext;
  projection: Projection;
  /** The service whose log it follows. */
  source: string;
  log: EventLog;
  store: ReadStore;
  /** The projection's other Actors. */
  peers: Actors<ProjectionShard>;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<ProjectorMethods> => {
  const runtime = { clock, random, sleep };
  const { shards = 1 } = projection;
  const declared = declaredBuild(projection);
  const shard = namesOfBuild(projection, declared).indexOf(context.name);
  /** Of another number of shards: it has nothing to do but to end what it began. */
  const isRetired = shard < 0;
  const parked = projectionParking(context.sql, "standing");
  const waiters = positionWaiters(sleep);
  let stoppedAt: ProjectorStatus["stoppedAt"];

  const model = { projection, source, log, store, ...runtime };
  const standing = standingModel({
    ...model,
    shard,
    build: projectionBuild(store, projection),
    parked,
    reach: waiters.reach,
  });

  const self: ProjectionShard = {
    stand: () => standing.stand(),
    async adopt({ parked: adopted }) {
      parked.replace(adopted);
    },
    async resume() {
      standing.resume();
      await following.wake();
    },
    finish: () => rebuild.finish(),
  };

  const rebuild = rebuilding({
    ...model,
    build: projectionBuild(store, projection),
    sql: context.sql,
    copyParked: projectionParking(context.sql, "copy"),
    name: context.name,
    actor: (name) => (name === context.name ? self : peers.named(name)),
    worked: () => context.worked(),
  });

  const follow = async (signal: AbortSignal, wentWell: () => void) => {
    try {
      await standing.follow(signal, () => {
        stoppedAt = undefined;
        wentWell();
      });
    } catch (error) {
      if (error instanceof CommitNotApplied) {
        const { position, eventId } = error;
        stoppedAt = { position, eventId };
      }
      throw error;
    }
  };
  const following = pump({ context, work: follow, clock, random, sleep });

  /** One after another: the alarm may ring again before a transaction of the rebuild is done. */
  let lastRun: Promise<void> = Promise.resolve();
  const runRebuild = (signal: AbortSignal) => {
    lastRun = lastRun.then(() => rebuild.run(signal));
    return lastRun;
  };

  let inSlice = false;
  const alarm = async () => {
    if (isRetired) return;
    if (inSlice) return following.alarm();
    inSlice = true;
    const end = new AbortController();
    const run = shard === 0 ? runRebuild(end.signal) : undefined;
    try {
      await following.alarm();
    } finally {
      inSlice = false;
      end.abort();
      await run;
    }
  };

  const status = (): ProjectorStatus => {
    const failure = following.lastFailure();
    const position = waiters.position();
    const built = standing.built();
    const now = built?.state === "changing" ? built.from : built?.build;
    return {
      projection: context.name,
      ...(position !== undefined && { position }),
      ...(failure !== undefined && { failure }),
      ...(failure !== undefined && stoppedAt && { stoppedAt }),
      ...(parked.count() > 0 && { parked: parked.count() }),
      ...(now !== undefined &&
        now !== declared && {
          outdated: {
            version: versionOf(now),
            declared: versionOf(declared),
            stands: standing.stands(),
          },
        }),
    };
  };

  const behindCommits = async (): Promise<number | undefined> => {
    const position = waiters.position();
    if (position === undefined) return undefined;
    const last = await log.lastPosition().catch(() => undefined);
    if (last === undefined) return undefined;
    recordBehind(context.name, last - position);
    return Math.max(0, last - position);
  };

  return {
    alarm,
    methods: {
      ...self,
      async wake() {
        await following.wake();
        return status();
      },
      async waitFor({ position, timeoutMs }) {
        // Listening comes first: while waking is awaited, the position may be reached.
        const reached = waiters.waitFor(position, timeoutMs);
        if (!waiters.holds(position)) await following.wake();
        return reached;
      },
      async details() {
        await following.wake();
        const behind = await behindCommits();
        const since = standing.lacksSince();
        const progress = rebuild.progress();
        return {
          ...status(),
          version: versionOf(declared),
          shards,
          ...(behind !== undefined && { behindCommits: behind }),
          behindSeconds: since === undefined ? 0 : Math.max(0, clock() - since) / 1_000,
          ...(progress && { rebuild: progress }),
        };
      },
      parked: async (page) => parked.page(page),
      replay: ({ id }) => standing.replay(id),
      parkedEvent: async ({ id }) => parked.details(id),
      drop: ({ id, reason }) => standing.drop(id, reason.slice(0, LIMITS.dropReasonCharacters)),
      async rebuild(asked) {
        rebuild.ask(asked);
        await following.wake();
        return progressOf(rebuild.progress());
      },
      async cancelRebuild() {
        const cancelled = rebuild.cancel();
        await following.wake();
        return cancelled.ok ? { ok: true, value: progressOf(rebuild.progress()) } : cancelled;
      },
      dropOld: () => rebuild.dropOld(),
    },
  };
};

const progressOf = (progress: RebuildProgress | undefined): RebuildProgress => {
  if (progress) return progress;
  throw new Error("Showing a rebuild: expected the one that was just asked for");
};
