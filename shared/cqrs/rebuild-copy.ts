/** The tables that are filled beside the standing ones, and the one moment in which they take their place. */
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { Projection } from "./projection.ts";
import { applyCommits } from "./projection-apply.ts";
import { type Build, versionOf } from "./projection-build.ts";
import type { ProjectionParking } from "./projection-parking.ts";
import type { ReadStore } from "./read-store.ts";
import { readAhead } from "./rebuild-ahead.ts";

/** Under which the tables that were replaced stay, when that was asked for. */
export const OLD = "old";

export interface RebuildCopy {
  /** Empty tables, whatever was there. */
  prepare(): Promise<void>;
  position(): Promise<number>;
  /** Brings the copy exactly to a position of the log. @throws the signal's reason, when it was not reached */
  fillTo(position: number, signal: AbortSignal): Promise<void>;
  /** Whether it could take the place of the tables as they are now. */
  fits(): Promise<boolean>;
  /** @param standing checkpoint of the tables that it replaces */
  takeOver(of: { standing: string; at: number; keep: boolean }): Promise<"taken" | "moved">;
  drop(): Promise<void>;
  dropOld(): Promise<void>;
}

export interface CopyOptions {
  readonly projection: Projection;
  readonly source: string;
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly parked: ProjectionParking;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  /** Told after each transaction. */
  readonly wentWell: (position: number) => void;
}

export const rebuildCopy = (build: Build, options: CopyOptions): RebuildCopy => {
  const { projection, log, store, parked, wentWell } = options;
  const { name, tables, onFailure = "stop" } = projection;
  const suffix = `v${versionOf(build)}`;
  const checkpoint = `${name}@${suffix}`;

  const apply = applyCommits({
    ...options,
    projection: name,
    checkpoint,
    changes: (commits) =>
      projection.changes(commits).map((change) => ({ ...change, table: `${change.table}__${suffix}` })),
    concerns: () => true,
    onFailure,
  });

  const drop = async () => {
    await store.dropCopies({ tables, suffix, copy: checkpoint });
    parked.replace([]);
  };
  const dropOld = () => store.dropCopies({ tables, suffix: OLD, copy: `${name}@${OLD}` });

  return {
    async prepare() {
      await drop();
      await store.createCopies({ tables, suffix });
    },
    position: () => store.checkpoint(checkpoint),
    async fillTo(position, signal) {
      let from = await store.checkpoint(checkpoint);
      if (from >= position) return;
      const tail = (end: AbortSignal) =>
        log.tail({ after: from, batchMax: LIMITS.projectionBatch, signal: end });
      for await (const batch of readAhead(tail, signal)) {
        const commits = batch.filter((commit) => commit.position <= position);
        const to = commits.at(-1)?.position ?? from;
        if ((await apply(commits, from)) === "moved") {
          throw new Error(`Filling "${checkpoint}" from ${from}: somebody else is filling it`);
        }
        from = to;
        wentWell(from);
        if (from >= position) return;
      }
      signal.throwIfAborted();
      throw new Error(`Filling "${checkpoint}" up to ${position}: the log ended at ${from}`);
    },
    fits: () => store.copiesFit({ tables, suffix }),
    async takeOver({ standing, at, keep }) {
      if (keep) await dropOld();
      return store.takeOver({
        tables,
        suffix,
        projection: standing,
        copy: checkpoint,
        at,
        ...(keep && { keepAs: OLD }),
      });
    },
    drop,
    dropOld,
  };
};
