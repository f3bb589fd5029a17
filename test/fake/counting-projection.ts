/** A projection in whose rows every commit shows that is lost, doubled, or of another version. */
import type { Projection } from "#shared/cqrs/projection.ts";
import type { RowChange } from "#shared/cqrs/row-change.ts";
import type { Commit } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";

/** Adds `step` to the row of each commit's position. */
export const counting =
  (step: number, table = "numbers") =>
  (commits: readonly Commit[]): RowChange[] => [
    {
      change: "add",
      table,
      key: ["n"],
      rows: commits.map(({ position }) => ({ n: position, sum: step })),
    },
  ];

export const countingProjection: Projection = {
  name: "numbers",
  tables: ["numbers"],
  changes: counting(1),
};

/** What a read model holds after so many commits, as {@link sumsIn} shows it. */
export const sumsOf = (commits: number, step: number): number[][] =>
  Array.from({ length: commits }, (_, index) => [index + 1, step]);

/** Each position and its sum, in order. */
export const sumsIn = (rows: readonly Readonly<Record<string, unknown>>[]): number[][] =>
  rows.map(({ n, sum }) => [Number(n), Number(sum)]).sort(([one = 0], [other = 0]) => one - other);

/** Appends so many commits, each of an aggregate of its own. */
export const appendCommits = async (log: EventLog, count: number): Promise<void> => {
  const last = await log.lastPosition();
  for (let n = last + 1; n <= last + count; n++) {
    await log.append({
      aggregate: { type: "number", id: `${n}` },
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: `c${n}`,
      at: 0,
      events: [{ type: "Counted", data: {} }],
      trace: {},
    });
  }
};
