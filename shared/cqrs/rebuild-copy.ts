/** The tables that are filled beside the standing ones, and the one moment in which they take their place. */
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { Projection } from "./projection.ts";
import { applyCommits } from "./projection-apply.ts";
import { type Build, versionOf } from "./projection-build.ts";
import type { ProjectionParking } from "./projection-parking.ts";
import type { Guard, ReadStore } from "./read-store.ts";
import { readAhead } from "./rebuild-ahead.ts";
import type { RebuildFence } from "./rebuild-fence.ts";

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
  /** @param standing where all has to stand that brings the tables forward which it replaces */
  takeOver(of: { standing: readonly Guard[]; at: number; keep: boolean }): Promise<void>;
  drop(): Promise<void>;
  dropOld(): Promise<void>;
}

export interface CopyOptions {
  readonly projection: Projection;
  readonly source: string;
  readonly log: EventLog;
  readonly store: ReadStore;
  /** Held by whoever calls what changes anything. */
  readonly fence: RebuildFence;
  readonly parked: ProjectionParking;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  /** Told after each transaction. */
  readonly wentWell: (position: number) => void;
}

export const rebuildCopy = (build: Build, options: CopyOptions): RebuildCopy => {
  const { projection, log, store, fence, parked, wentWell } = options;
  const { name, tables, onFailure = "stop" } = projection;
  const suffix = `v${versionOf(build)}`;
  const checkpoint = `${name}@${suffix}`;

  const apply = applyCommits({
    ...options,
    projection: name,
    checkpoint,
    changes: (commits) =>
      projection.changes(commits).map((change) => ({ ...change, table: `${change.table}__${suffix}` })),
    guards: fence.guards,
    concerns: () => true,
    onFailure,
  });
  /** Of what is moved nobody knows who moved it: the fence is taken again, and all is looked at anew. */
  const expectMade = (answer: string, attempt: string) => {
    if (answer !== "moved") return;
    fence.lose();
    throw new Error(`${attempt}: somebody else has changed it`);
  };

  const drop = async () => {
    const guards = fence.guards();
    expectMade(
      await store.dropCopies({ tables, suffix, copy: checkpoint, guards }),
      `Dropping "${checkpoint}"`,
    );
    parked.replace([]);
  };
  const dropOld = async () => {
    const old = `${name}@${OLD}`;
    const guards = fence.guards();
    expectMade(await store.dropCopies({ tables, suffix: OLD, copy: old, guards }), `Dropping "${old}"`);
  };

  return {
    async prepare() {
      await drop();
      const guards = fence.guards();
      expectMade(await store.createCopies({ tables, suffix, guards }), `Making "${checkpoint}"`);
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
        expectMade(await apply(commits, from), `Filling "${checkpoint}" from ${from}`);
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
      const [first] = standing;
      if (!first) throw new Error(`Taking over with "${checkpoint}": expected to be told what stands`);
      const taken = await store.takeOver({
        tables,
        suffix,
        projection: first.name,
        copy: checkpoint,
        at,
        ...(keep && { keepAs: OLD }),
        guards: [...fence.guards(), ...standing],
      });
      expectMade(taken, `Taking the place of "${first.name}" at ${at}`);
    },
    drop,
    dropOld,
  };
};
