import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Commit } from "../events/event.ts";
import { progressFrom } from "./progress.ts";

const commit = (position: number): Commit => ({
  position,
  aggregate: { type: "order", id: "a" },
  commandId: `c${position}`,
  trace: {},
  metadata: {},
  events: [],
});

describe("progressFrom", () => {
  it("stands where it began until something is finished", () => {
    const progress = progressFrom(7);
    expect(progress.floor()).toBe(7);
    progress.start(commit(9));
    expect(progress.floor()).toBe(8);
    progress.finish(commit(9));
    expect(progress.floor()).toBe(9);
  });

  it("stays below the oldest that is unfinished, whatever is finished above it", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.infiniteStream(fc.nat()),
        (set, order) => {
          const positions = set.toSorted((a, b) => a - b);
          const progress = progressFrom(0);
          for (const position of positions) progress.start(commit(position));
          const open = [...positions];
          while (open.length > 0) {
            expect(progress.unfinished().map(({ position }) => position)).toEqual(open);
            expect(progress.newest()).toBe(positions.at(-1));
            expect(progress.floor()).toBe((open[0] ?? 0) - 1);
            const [finished = 0] = open.splice(order.next().value % open.length, 1);
            progress.finish(commit(finished));
          }
          expect(progress.floor()).toBe(positions.at(-1) ?? 0);
        },
      ),
    );
  });
});
