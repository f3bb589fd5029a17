import fc from "fast-check";
import { expect, test } from "vitest";
import { retryBudget } from "./retry-budget.ts";

const taken = (take: () => boolean, most = 1_000): number => {
  let count = 0;
  while (count < most && take()) count++;
  return count;
};

test("a new budget has its cap, so that the first request may be tried again", () => {
  expect(taken(retryBudget(() => 0, { ratio: 0.2, perSecond: 0, cap: 3 }).take)).toBe(3);
});

test("every fifth first attempt pays one more at a ratio of 0.2", () => {
  const budget = retryBudget(() => 0, { ratio: 0.2, perSecond: 0, cap: 10 });
  taken(budget.take);
  for (let request = 1; request <= 25; request++) {
    budget.earn();
    expect(budget.take()).toBe(request % 5 === 0);
  }
});

test("time alone pays where there is no traffic, up to the cap", () => {
  let now = 0;
  const budget = retryBudget(() => now, { ratio: 0.2, perSecond: 2, cap: 10 });
  taken(budget.take);
  now += 499;
  expect(budget.take()).toBe(false);
  now += 1;
  expect(taken(budget.take)).toBe(1);
  now += 3_600_000;
  expect(taken(budget.take)).toBe(10);
});

test("no more than the cap is saved up, however many requests there were", () => {
  const budget = retryBudget(() => 0, { ratio: 1, perSecond: 0, cap: 3 });
  for (let request = 0; request < 100; request++) budget.earn();
  expect(taken(budget.take)).toBe(3);
});

test("a clock that is set back takes nothing away, and pays no second twice", () => {
  let now = 10_000;
  const budget = retryBudget(() => now, { ratio: 0, perSecond: 1, cap: 3 });
  expect(budget.take()).toBe(true);
  now = 0;
  expect(taken(budget.take)).toBe(2);
  now = 10_000;
  expect(budget.take()).toBe(false);
});

test("what is given back can be taken, and never exceeds the cap", () => {
  const budget = retryBudget(() => 0, { ratio: 0.2, perSecond: 0, cap: 2 });
  budget.giveBack();
  expect(taken(budget.take)).toBe(2);
  budget.giveBack();
  expect(taken(budget.take)).toBe(1);
});

const step = fc.oneof(
  fc.record({ do: fc.constant("earn" as const) }),
  fc.record({ do: fc.constant("take" as const) }),
  fc.record({ do: fc.constant("give back" as const) }),
  // Clocks jump, both ways.
  fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: -5_000, max: 5_000 }) }),
);
const policy = fc.record({
  ratio: fc.double({ min: 0, max: 2, noNaN: true }),
  perSecond: fc.double({ min: 0, max: 20, noNaN: true }),
  cap: fc.integer({ min: 0, max: 20 }),
});

test("no more is paid than requests, time and cap allow, under any sequence and any clock", () => {
  fc.assert(
    fc.property(policy, fc.array(step, { maxLength: 300 }), (chosen, steps) => {
      let now = 1_000_000;
      let latest = now;
      let requests = 0;
      let paid = 0;
      const budget = retryBudget(() => now, chosen);
      for (const each of steps) {
        if (each.do === "earn") {
          requests++;
          budget.earn();
        } else if (each.do === "take") paid += budget.take() ? 1 : 0;
        else if (each.do === "time") now += each.ms;
        else if (paid > 0) {
          paid--;
          budget.giveBack();
        }
        latest = Math.max(latest, now);
        const seconds = (latest - 1_000_000) / 1_000;
        // Half a thousandth per request: the ratio is rounded to thousandths.
        const allowed = (chosen.ratio + 0.0005) * requests + chosen.perSecond * seconds + chosen.cap;
        expect(paid).toBeLessThanOrEqual(allowed + 1e-6);
      }
    }),
    { numRuns: 1_000 },
  );
});
