/** The EventLog in memory: for unit tests of what stands on a log. */
import { err, ok } from "../result.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { assertMetadata, assertTenant } from "./commit-metadata.ts";
import { committed } from "./committed.ts";
import { type AggregateRef, assertAggregateRef, type Commit } from "./event.ts";
import { type EventLog, lastOf } from "./event-log.ts";

/** @param clock by which it says when a commit was written */
export const memoryEventLog = (clock: Clock = systemClock): EventLog => {
  const commits: Commit[] = [];
  const writtenAt: number[] = [];
  const waiting = new Set<() => void>();

  const ofAggregate = (wanted: AggregateRef) => {
    assertAggregateRef(wanted);
    return commits.filter(({ aggregate: { type, id } }) => type === wanted.type && id === wanted.id);
  };

  const moreThan = (position: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (commits.length > position || signal.aborted) return resolve();
      const done = () => {
        waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener("abort", done);
    });

  return {
    async append(append) {
      const own = ofAggregate(append.aggregate);
      assertMetadata(append.metadata ?? {});
      assertTenant(append.aggregate, append.metadata ?? {});
      const same = own.find(({ commandId }) => commandId === append.commandId);
      if (same) return ok({ position: same.position, duplicate: true });
      if ((own.at(-1)?.position ?? 0) !== append.expectedPosition) return err({ code: "conflict" });
      const commit = committed({ ...append, events: structuredClone(append.events) }, commits.length + 1);
      commits.push(commit);
      writtenAt.push(clock());
      for (const wake of [...waiting]) wake();
      return ok({ position: commit.position, duplicate: false });
    },
    async read(aggregate, { after = 0, most } = {}) {
      return ofAggregate(aggregate)
        .filter(({ position }) => position > after)
        .slice(0, most);
    },
    async last(aggregate) {
      const commit = ofAggregate(aggregate).at(-1);
      return commit && lastOf(commit);
    },
    async *tail({ after, batchMax, signal }) {
      let position = after;
      while (!signal.aborted) {
        await moreThan(position, signal);
        if (signal.aborted) return;
        const batch = commits.slice(position, position + batchMax);
        position += batch.length;
        yield batch;
      }
    },
    async lastPosition() {
      return commits.length;
    },
    async positionAt(atMs) {
      const index = writtenAt.findIndex((at) => at >= atMs);
      return (index < 0 ? commits.length : index) + 1;
    },
  };
};
