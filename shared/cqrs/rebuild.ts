/**
 * Rebuilds a read model beside the standing one, which is read and goes on meanwhile. Every step can be the last of this
 * process and be taken again by the next: what the rows are of stands in the read store, what was asked for in the Actor.
 */
import type { EventLog } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorSql } from "../runtime/actor.ts";
import { type Clock, type Random, rfc3339, type Sleep } from "../runtime/clock.ts";
import { backoffMs } from "./backoff.ts";
import { keyedMutex } from "./mutex.ts";
import type { Projection } from "./projection.ts";
import { reasonOf } from "./projection-apply.ts";
import {
  type Build,
  declaredBuild,
  namesOfBuild,
  type ProjectionBuild,
  shardsOf,
  versionOf,
} from "./projection-build.ts";
import type { Parked, ProjectionParking } from "./projection-parking.ts";
import { isForShard } from "./projection-shards.ts";
import type { ReadStore } from "./read-store.ts";
import { rebuildCopy } from "./rebuild-copy.ts";
import { rebuildFence } from "./rebuild-fence.ts";
import { isUnderWay, type Rebuild, type RebuildPhase, rebuildRecord } from "./rebuild-record.ts";
import { takeOver } from "./rebuild-take-over.ts";

export interface RebuildProgress extends Omit<Rebuild, "build"> {
  /** What the copy holds of the log. */
  readonly position: number;
  /** The log's end, as it was last looked for. */
  readonly target: number;
  /** Why it does not go on at the moment. */
  readonly failure?: string;
}

/** What an Actor of the projection does for the one that rebuilds. */
export type ProjectionShard = {
  /** Stands still until `resume`. */
  stand(input: Record<string, never>): Promise<void>;
  /** Takes these in the place of what it has parked. */
  adopt(input: { parked: readonly Parked[] }): Promise<void>;
  resume(input: Record<string, never>): Promise<void>;
  /** Ends what this one began, as the first Actor of another number of shards than are declared now. */
  finish(input: Record<string, never>): Promise<void>;
};

export interface Rebuilding {
  /** Does what is to be done until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Ends a take-over that is this Actor's to end. */
  finish(): Promise<void>;
  /** Begins one, unless one is under way. */
  ask(options: { keep: boolean }): Rebuild;
  cancel(): Result<Rebuild, Failure>;
  dropOld(): Promise<Result<undefined, Failure>>;
  progress(): RebuildProgress | undefined;
}

export interface RebuildOptions {
  readonly projection: Projection;
  readonly source: string;
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly build: ProjectionBuild;
  readonly sql: ActorSql;
  readonly copyParked: ProjectionParking;
  /** The Actor's own name. */
  readonly name: string;
  /** Any Actor of the projection, this one among them. */
  readonly actor: (name: string) => ProjectionShard;
  /** Told of each transaction. */
  readonly worked: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
}

/** In which the copy holds something. */
const FILLED: ReadonlySet<RebuildPhase> = new Set(["filling", "taking over"]);

export const rebuilding = (options: RebuildOptions): Rebuilding => {
  const { projection, log, build, clock, random, sleep } = options;
  const declared = declaredBuild(projection);
  const record = rebuildRecord(options.sql);
  const alone = keyedMutex();
  const fence = rebuildFence(
    { projection: projection.name, store: options.store },
    {
      last: () => record.fence(),
      taken(epoch, foreign) {
        const last = record.last();
        // What is parked beside the copy is this Actor's own: filled by somebody else, the copy would lack what that one parked.
        if (foreign && projection.onFailure === "park" && last && FILLED.has(last.phase))
          record.save({ ...last, phase: "preparing" });
        record.saveFence(epoch);
      },
    },
  );
  let asked = new AbortController();
  let position = 0;
  let target = 0;
  let failure: string | undefined;
  let steps = 0;

  const copyOf = (of: Build) =>
    rebuildCopy(of, {
      ...options,
      fence,
      parked: options.copyParked,
      wentWell(now) {
        position = now;
        failure = undefined;
        steps++;
        options.worked();
      },
    });

  const save = (rebuild: Rebuild): Rebuild => {
    record.save(rebuild);
    return rebuild;
  };
  const end = (rebuild: Rebuild, phase: "done" | "cancelled") =>
    save({ ...rebuild, phase, endedAt: rfc3339(clock()) });

  const begin = (keep: boolean): Rebuild => {
    position = 0;
    target = 0;
    failure = undefined;
    return save({
      id: `${Number(record.last()?.id ?? 0) + 1}`,
      version: versionOf(declared),
      build: declared,
      phase: "preparing",
      keep,
      startedAt: rfc3339(clock()),
    });
  };

  /** A cancelled one does not begin again by itself. */
  const neededNow = (built: Build, last: Rebuild | undefined): boolean =>
    built !== declared && !(last?.phase === "cancelled" && last.build === declared);

  const finishTakeOver = (to: Build, signal: AbortSignal) =>
    alone("take over", async () => {
      const last = record.last();
      const own = last?.build === to && isUnderWay(last) ? last : undefined;
      const taken = await takeOver({
        ...options,
        to,
        keep: own?.keep ?? false,
        copy: copyOf(to),
        fence,
        shards: namesOfBuild(projection, to).map(options.actor),
        concerns: ({ commit }, shard) => isForShard(commit, shardsOf(to), shard),
        signal,
      });
      if (own) end(record.last() ?? own, taken === "taken" ? "done" : "cancelled");
    });

  /** By its first Actor: beside it stands what the copy has parked. */
  const finishChanging = async (to: Build, signal: AbortSignal) => {
    const [first = options.name] = namesOfBuild(projection, to);
    if (first === options.name) await finishTakeOver(to, signal);
    else await options.actor(first).finish({});
  };

  const cancelled = async (rebuild: Rebuild) => {
    await copyOf(rebuild.build).drop();
    end(rebuild, "cancelled");
  };

  const fill = async (rebuild: Rebuild, signal: AbortSignal) => {
    const copy = copyOf(rebuild.build);
    position = await copy.position();
    for (;;) {
      const last = await log.lastPosition();
      if (last === 0) return false;
      const near = last - position < LIMITS.projectionBatch;
      target = last;
      await copy.fillTo(last, signal);
      if (near) return true;
    }
  };

  const goOn = async (rebuild: Rebuild, signal: AbortSignal): Promise<boolean> => {
    switch (rebuild.phase) {
      case "preparing":
        await copyOf(rebuild.build).prepare();
        if (record.last()?.phase === "preparing") save({ ...rebuild, phase: "filling" });
        return true;
      case "filling":
        if (!(await fill(rebuild, signal))) return false;
        if (record.last()?.phase === "filling") save({ ...rebuild, phase: "taking over" });
        return true;
      case "taking over":
        // Much may have come since it was filled, should the Actor have been away: that is no matter of a moment.
        if (!(await fill(rebuild, signal))) return false;
        // Looked at before anybody stands still for it.
        if (!(await copyOf(rebuild.build).fits())) {
          save({ ...rebuild, phase: "preparing" });
          return true;
        }
        await finishTakeOver(rebuild.build, signal);
        return true;
      case "cancelling":
        await cancelled(rebuild);
        return true;
      default:
        return false;
    }
  };

  /** One step. @returns false when there is nothing to do now */
  const step = async (signal: AbortSignal): Promise<boolean> => {
    const before = record.last();
    const seen = await build.read();
    const isUsual = seen.state === "standing" && !neededNow(seen.build, before);
    if (isUsual && !(before && isUnderWay(before))) return false;
    // What follows is decided by what stands once nobody else decides any more.
    await fence.hold();
    const built = await build.read();
    const last = record.last();
    if (built.state === "changing") {
      await finishChanging(built.to, signal);
      return true;
    }
    if (last && isUnderWay(last)) {
      if (last.build !== declared && last.phase !== "cancelling")
        return goOn({ ...last, phase: "cancelling" }, signal);
      // It had taken over, and its Actor ended before that was written down.
      if (last.phase === "taking over" && (await copyOf(last.build).position()) === 0) {
        end(last, "done");
        return true;
      }
      return goOn(last, signal);
    }
    if (!neededNow(built.build, last)) return false;
    begin(false);
    return true;
  };

  const untilAsked = (signal: AbortSignal, ms?: number) => {
    const either = AbortSignal.any([signal, asked.signal]);
    if (ms !== undefined) return sleep(ms, either).catch(() => undefined);
    return new Promise<void>((resolve) => {
      if (either.aborted) return resolve();
      either.addEventListener("abort", () => resolve(), { once: true });
    });
  };

  const run = async (signal: AbortSignal) => {
    steps = 0;
    let failures = 0;
    while (!signal.aborted && steps < LIMITS.rebuildSteps) {
      asked = new AbortController();
      try {
        const more = await step(AbortSignal.any([signal, asked.signal]));
        failures = 0;
        if (more) continue;
        const last = record.last();
        await untilAsked(signal, last && isUnderWay(last) ? LIMITS.projectionLookMs : undefined);
      } catch (error) {
        // What had no answer may be made yet: not after what comes next.
        fence.lose();
        if (signal.aborted || asked.signal.aborted) continue;
        failure = reasonOf(error);
        await untilAsked(signal, backoffMs(++failures, random));
      }
    }
  };

  return {
    run,
    async finish() {
      await fence.hold();
      const built = await build.read();
      if (built.state !== "changing" || namesOfBuild(projection, built.to)[0] !== options.name) return;
      await finishTakeOver(built.to, new AbortController().signal).catch((error: unknown) => {
        fence.lose();
        throw error;
      });
    },
    ask({ keep }) {
      const last = record.last();
      if (last && isUnderWay(last) && last.phase !== "cancelling" && last.build === declared) {
        return keep && !last.keep && last.phase !== "taking over" ? save({ ...last, keep }) : last;
      }
      const begun = begin(keep);
      asked.abort();
      return begun;
    },
    cancel() {
      const last = record.last();
      if (!last || !isUnderWay(last)) {
        return err({
          code: "not_found",
          detail: `Cancelling the rebuild of "${projection.name}": none is under way`,
        });
      }
      if (last.phase === "taking over") {
        return err({
          code: "conflict",
          detail: `Cancelling the rebuild of "${projection.name}": it is taking over`,
        });
      }
      const cancelling = save({ ...last, phase: "cancelling" });
      asked.abort();
      return ok(cancelling);
    },
    async dropOld() {
      const last = record.last();
      if (last?.keep && last.phase === "taking over") {
        return err({
          code: "conflict",
          detail: `Dropping the old tables of "${projection.name}": a rebuild is taking over`,
        });
      }
      try {
        await fence.hold();
        await copyOf(declared).dropOld();
        return ok(undefined);
      } catch (error) {
        fence.lose();
        const detail = `Dropping the old tables of "${projection.name}": ${reasonOf(error)}`;
        return err({ code: "unavailable", detail });
      }
    },
    progress() {
      const last = record.last();
      if (!last) return undefined;
      const { build: _, ...shown } = last;
      return { ...shown, position, target, ...(failure !== undefined && { failure }) };
    },
  };
};
