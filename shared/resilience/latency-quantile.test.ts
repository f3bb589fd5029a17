import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { latencyQuantile } from "./latency-quantile.ts";

const HALF_LIFE_MS = 10_000;

type Recorded = { ms: number; weight: number };

/** The smallest value that a share of `quantile` of the weight does not exceed. */
const exact = (recorded: readonly Recorded[], quantile: number): number => {
  const total = recorded.reduce((sum, { weight }) => sum + weight, 0);
  let upTo = 0;
  for (const { ms, weight } of recorded.toSorted((a, b) => a.ms - b.ms)) {
    upTo += weight;
    if (upTo >= quantile * total) return Math.min(LIMITS.latencyMs, Math.max(1, ms));
  }
  return Number.NaN;
};

const expectWithin5Percent = (estimate: number | undefined, expected: number) => {
  expect(estimate).toBeGreaterThanOrEqual(expected * 0.9499);
  expect(estimate).toBeLessThanOrEqual(expected * 1.0501);
};

const latency = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.double({ min: 0, max: 5_000, noNaN: true }),
  fc.integer({ min: 0, max: 2_000_000 }),
);

describe("latencyQuantile", () => {
  it("is within 5 % of the exact quantile after every record", () => {
    const quantiles = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1);
    fc.assert(
      fc.property(quantiles, fc.array(latency, { minLength: 1, maxLength: 200 }), (quantile, all) => {
        const options = { quantile, halfLifeMs: HALF_LIFE_MS, recordedMin: 1 };
        const estimate = latencyQuantile(() => 0, options);
        const recorded: Recorded[] = [];
        for (const ms of all) {
          estimate.record(ms);
          recorded.push({ ms, weight: 1 });
          expectWithin5Percent(estimate.valueMs(), exact(recorded, quantile));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("says beyond what only the slowest were, in whole milliseconds", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 200 }), (all) => {
        const options = { quantile: 0.95, halfLifeMs: HALF_LIFE_MS, recordedMin: 1 };
        const estimate = latencyQuantile(() => 0, options);
        for (const ms of all) estimate.record(ms);
        const beyond = estimate.beyondMs() ?? 0;
        const expected = exact(
          all.map((ms) => ({ ms, weight: 1 })),
          0.95,
        );
        expect(beyond).toBeGreaterThanOrEqual(expected + 1);
        expect(beyond).toBeLessThanOrEqual(expected * 1.11 + 1);
        expect(beyond).toBe(Math.floor(beyond));
      }),
    );
  });

  it("does not grow by what is given up beyond it, nor shrink", () => {
    const estimate = latencyQuantile(() => 0, { quantile: 0.95, halfLifeMs: HALF_LIFE_MS, recordedMin: 1 });
    for (let ms = 1; ms <= 100; ms++) estimate.record(ms);
    const before = estimate.valueMs();
    for (let n = 0; n < 1_000; n++) estimate.recordGivenUp(200);
    expect(estimate.valueMs()).toBe(before);
  });

  it("is within 5 % of the exact quantile of what still has weight, while time passes", () => {
    const step = fc.record({ ms: latency, passesMs: fc.integer({ min: 0, max: 2 * HALF_LIFE_MS }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        let now = 0;
        const estimate = latencyQuantile(() => now, {
          quantile: 0.95,
          halfLifeMs: HALF_LIFE_MS,
          recordedMin: 0,
        });
        const recorded: { ms: number; period: number }[] = [];
        for (const { ms, passesMs } of steps) {
          estimate.record(ms);
          recorded.push({ ms, period: Math.floor(now / HALF_LIFE_MS) });
          now += passesMs;
          const period = Math.floor(now / HALF_LIFE_MS);
          const weighted = recorded.map((each) => ({ ms: each.ms, weight: 2 ** (each.period - period) }));
          expectWithin5Percent(estimate.valueMs(), exact(weighted, 0.95));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("tells nothing while too little is known, and again when that is long ago", () => {
    let now = 0;
    const estimate = latencyQuantile(() => now, {
      quantile: 0.95,
      halfLifeMs: HALF_LIFE_MS,
      recordedMin: 20,
    });
    for (let n = 0; n < 19; n++) estimate.record(40);
    expect(estimate.valueMs()).toBeUndefined();
    estimate.record(40);
    expectWithin5Percent(estimate.valueMs(), 40);
    now += HALF_LIFE_MS;
    expect(estimate.valueMs()).toBeUndefined();
  });

  it("follows an upstream that has become faster within a few half-lives", () => {
    let now = 0;
    const estimate = latencyQuantile(() => now, { quantile: 0.95, halfLifeMs: HALF_LIFE_MS, recordedMin: 1 });
    for (let n = 0; n < 1_000; n++) estimate.record(800);
    now += 5 * HALF_LIFE_MS;
    for (let n = 0; n < 1_000; n++) estimate.record(20);
    expectWithin5Percent(estimate.valueMs(), 20);
  });

  it("stands a clock that is set back, and one that jumps far ahead", () => {
    let now = 1_000_000;
    const estimate = latencyQuantile(() => now, { quantile: 0.95, halfLifeMs: HALF_LIFE_MS, recordedMin: 1 });
    for (const each of [0, 1e15, 5, -1e15]) {
      now = each;
      estimate.record(10);
      expectWithin5Percent(estimate.valueMs(), 10);
    }
  });
});
