import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Commit } from "../events/event.ts";
import { type Place, placeAt, progressFrom } from "./progress.ts";

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
    const progress = progressFrom(placeAt(7));
    expect(progress.floor()).toBe(7);
    progress.start(commit(9), [0]);
    expect(progress.floor()).toBe(8);
    progress.finish(9, 0);
    expect(progress.floor()).toBe(9);
  });

  it("stays below the oldest that is unfinished, whatever is finished above it", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.infiniteStream(fc.nat()),
        (set, order) => {
          const positions = set.toSorted((a, b) => a - b);
          const progress = progressFrom(placeAt(0));
          for (const position of positions) progress.start(commit(position), [0]);
          const open = [...positions];
          while (open.length > 0) {
            expect(progress.unfinished().map(({ commit: { position } }) => position)).toEqual(open);
            expect(progress.newest()).toBe(positions.at(-1));
            expect(progress.floor()).toBe((open[0] ?? 0) - 1);
            const [finished = 0] = open.splice(order.next().value % open.length, 1);
            progress.finish(finished, 0);
          }
          expect(progress.floor()).toBe(positions.at(-1) ?? 0);
        },
      ),
    );
  });

  it("passes a commit by of which nothing concerns it", () => {
    const progress = progressFrom(placeAt(0));
    expect(progress.start(commit(4), [])).toEqual([]);
    expect([progress.floor(), progress.unfinished()]).toEqual([4, []]);
  });

  it("forgets what was open of a commit that is not in the log any more", () => {
    const progress = progressFrom({
      floor: 3,
      newest: 6,
      open: [
        [4, 0],
        [6, 0],
      ],
    });
    progress.start(commit(5), [0]);
    expect(progress.place()).toEqual({ floor: 5, newest: 6, open: [[6, 0]] });
  });

  it("is done with a commit when all of its parts are", () => {
    const progress = progressFrom(placeAt(0));
    expect(progress.start(commit(1), [0, 2])).toEqual([0, 2]);
    progress.finish(1, 2);
    expect([progress.floor(), progress.place().open]).toEqual([0, [[1, 0]]]);
    progress.finish(1, 0);
    expect(progress.floor()).toBe(1);
  });

  it("starts exactly what was open when it was stored, whenever that was", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        fc.infiniteStream(fc.nat(3)),
        fc.array(fc.nat(40), { maxLength: 3 }),
        (set, choices, lives) => {
          const positions = set.toSorted((a, b) => a - b);
          const done = new Map<string, number>();
          let stored: Place = placeAt(0);
          for (const started of [...lives, positions.length]) {
            const progress = progressFrom(JSON.parse(JSON.stringify(stored)) as Place);
            const coming = positions.filter((position) => position > stored.floor).slice(0, started);
            for (const position of coming) {
              for (const part of progress.start(commit(position), [0, 1])) {
                if (choices.next().value === 0 && started !== positions.length) continue;
                done.set(`${position}/${part}`, (done.get(`${position}/${part}`) ?? 0) + 1);
                progress.finish(position, part);
              }
            }
            stored = progress.place();
          }
          const all = positions.flatMap((position) => [`${position}/0`, `${position}/1`]);
          expect([...done.keys()].toSorted()).toEqual(all.toSorted());
          expect([...done.values()].every((times) => times === 1)).toBe(true);
        },
      ),
    );
  });
});
