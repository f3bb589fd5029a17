import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventQueue } from "./event-queue.ts";
import { simulate, USUAL_FAILURES } from "./fleet.ts";
import { measureAll } from "./measure.ts";
import { figures, picture } from "./picture.ts";
import { PICTURES, table } from "./run.ts";
import { SCENARIOS } from "./scenarios.ts";
import { STRATEGIES } from "./sharing.ts";
import { spread } from "./svg-chart.ts";

const measured = measureAll();

describe("hints", () => {
  test("waste far fewer calls on an upstream that fails than breakers that are alone", () => {
    const { fails, halfFails } = measured;
    expect(fails.hints.wasted).toBeLessThan(0.7 * fails.isolated.wasted);
    expect(halfFails.hints.wasted).toBeLessThan(0.6 * halfFails.isolated.wasted);
  });

  test("protect sooner", () => {
    for (const { hints, isolated } of [measured.fails, measured.halfFails])
      expect(hints.protectedAfterSeconds).toBeLessThan(isolated.protectedAfterSeconds ?? 0);
  });

  test("refuse at most a quarter more calls than breakers that are alone when the upstream is well again", () => {
    for (const { hints, isolated } of [measured.fails, measured.halfFails])
      expect(hints.lost).toBeLessThan(1.25 * isolated.lost);
  });

  test("cost the others nothing when the network of one isolate, or of one in ten, is broken", () => {
    expect(measured.oneBad.hints.lost).toBe(0);
    expect(measured.someBad.hints.lost).toBe(0);
    expect(measured.mostBad.hints.lost).toBeLessThan(0.01 * measured.mostBad.hints.calls);
  });
});

test("when one opens all, one isolate's broken network costs the others a third of their calls and more", () => {
  expect(measured.oneBad.global.lost).toBeGreaterThan(measured.oneBad.global.calls / 3);
});

test("without any trouble nothing is refused, however breakers share what they see", () => {
  const calm = { title: "", seconds: 60, failing: () => USUAL_FAILURES, bad: () => false };
  for (const strategy of STRATEGIES) {
    const { wasted, lost } = simulate(calm, strategy, 1);
    expect([...wasted, ...lost].every((count) => count === 0)).toBe(true);
  }
});

test("the same calls come whatever the breakers do, and each run is the same again", () => {
  const [alone, hinted, again] = (["isolated", "hints", "hints"] as const).map((strategy) =>
    simulate(SCENARIOS.halfFails, strategy, 7),
  );
  expect(hinted?.calls).toEqual(alone?.calls);
  expect(again).toEqual(hinted);
});

describe("the docs", () => {
  const stands = (path: string) => readFileSync(join(PICTURES, path), "utf8");
  // Who changes breakers or the quorum runs `npm run simulate` and looks at what has changed.
  test("hold the picture, the figures and the table that the simulation makes", () => {
    expect(stands("breaker-hints.svg")).toBe(picture(measured));
    expect(stands("breaker-hints.json")).toBe(figures(measured));
    expect(stands("../reference/breaker-hints.md")).toContain(table(measured));
  });
});

test("events happen in the order of their times, and of their telling where these are equal", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (times) => {
      const queue = eventQueue();
      const happened: [number, number][] = [];
      for (const [index, ms] of times.entries()) queue.at(ms, () => happened.push([queue.now(), index]));
      queue.run(50);
      expect(happened).toEqual(
        times.map((ms, index) => [ms, index]).sort(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j),
      );
    }),
  );
});

test("names at the lines' ends keep their distance, and never go below their line", () => {
  expect(spread([100, 100, 20], 17)).toEqual([83, 100, 20]);
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 6 }), (places) => {
      const moved = spread(places, 17);
      for (const [index, place] of moved.entries()) {
        expect(place).toBeLessThanOrEqual(places[index] ?? 0);
        for (const other of moved.slice(index + 1))
          expect(Math.abs(place - other)).toBeGreaterThanOrEqual(17);
      }
    }),
  );
});
