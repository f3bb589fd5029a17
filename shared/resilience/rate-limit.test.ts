import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateLimiter } from "./rate-limit.ts";

const given = (settings: { limit: number; periodSeconds: number; burst?: number; keysMax?: number }) => {
  const at = { ms: 1_700_000_000_000 };
  return { at, limiter: rateLimiter({ keysMax: 100, ...settings }, () => at.ms) };
};

const anySettings = fc.record({
  limit: fc.integer({ min: 1, max: 1_000 }),
  periodSeconds: fc.integer({ min: 1, max: 3_600 }),
  burst: fc.integer({ min: 1, max: 50 }),
});
const anyAttempts = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    cost: fc.nat({ max: 8 }),
    stepMs: fc.oneof(fc.nat({ max: 2_000 }), fc.integer({ min: -100_000, max: 100_000 })),
  }),
  { maxLength: 60 },
);

test("in no stretch of time more than burst + rate × time is admitted, whatever comes and wherever the clock goes", () => {
  fc.assert(
    fc.property(anySettings, anyAttempts, (settings, attempts) => {
      const { at, limiter } = given(settings);
      const perMs = settings.limit / (settings.periodSeconds * 1_000);
      let passedMs = 0;
      const admitted: { key: string; cost: number; atMs: number }[] = [];
      for (const { key, cost, stepMs } of attempts) {
        at.ms += stepMs;
        passedMs += Math.max(0, stepMs);
        if (limiter.take(key, cost).allowed) admitted.push({ key, cost, atMs: passedMs });
      }
      for (const from of admitted) {
        let sum = 0;
        for (const each of admitted.slice(admitted.indexOf(from))) {
          if (each.key !== from.key) continue;
          sum += each.cost;
          expect(sum).toBeLessThanOrEqual(settings.burst + perMs * (each.atMs - from.atMs) + 1e-6);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("what a verdict says holds: what remains is admitted and no more, and later as soon as it said", () => {
  fc.assert(
    fc.property(anySettings, anyAttempts, fc.integer({ min: 1, max: 50 }), (settings, attempts, cost) => {
      const replayed = () => {
        const { at, limiter } = given(settings);
        for (const each of attempts) {
          at.ms += each.stepMs;
          limiter.take(each.key, each.cost);
        }
        return { at, limiter };
      };
      const { remaining, resetMs, retryAfterMs, allowed } = replayed().limiter.take("a", cost);
      const told = () => {
        const state = replayed();
        state.limiter.take("a", cost);
        return state;
      };
      expect(told().limiter.take("a", remaining).allowed).toBe(true);
      expect(told().limiter.take("a", remaining + 1).allowed).toBe(false);
      const early = told();
      early.at.ms += resetMs - 1;
      expect(early.limiter.take("a", remaining + 1).allowed).toBe(false);
      if (remaining < settings.burst) {
        const due = told();
        due.at.ms += resetMs;
        expect(due.limiter.take("a", remaining + 1).allowed).toBe(true);
      }
      expect(retryAfterMs === 0).toBe(allowed);
      if (allowed || cost > settings.burst) return;
      expect(retryAfterMs).toBeGreaterThanOrEqual(resetMs);
      const again = told();
      again.at.ms += retryAfterMs - 1;
      expect(again.limiter.take("a", cost).allowed).toBe(false);
      again.at.ms += 1;
      expect(again.limiter.take("a", cost).allowed).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe("a limit of 60 a minute with a burst of 3", () => {
  const settings = { limit: 60, periodSeconds: 60, burst: 3 };

  test("admits the burst at once, then one each second", () => {
    const { at, limiter } = given(settings);
    const verdicts = Array.from({ length: 4 }, () => limiter.take("k"));
    expect(verdicts).toEqual([
      { allowed: true, limit: 3, remaining: 2, resetMs: 1_000, retryAfterMs: 0 },
      { allowed: true, limit: 3, remaining: 1, resetMs: 1_000, retryAfterMs: 0 },
      { allowed: true, limit: 3, remaining: 0, resetMs: 1_000, retryAfterMs: 0 },
      { allowed: false, limit: 3, remaining: 0, resetMs: 1_000, retryAfterMs: 1_000 },
    ]);
    at.ms += 1_000;
    expect(limiter.take("k").allowed).toBe(true);
    expect(limiter.take("k").allowed).toBe(false);
  });

  test("a refusal costs nothing", () => {
    const { at, limiter } = given(settings);
    for (let take = 0; take < 10; take++) limiter.take("k");
    at.ms += 3_000;
    expect(limiter.take("k", 3).allowed).toBe(true);
  });

  test("a cost above the burst is never admitted, and no wait is promised", () => {
    const { limiter } = given(settings);
    const refusal = {
      allowed: false,
      limit: 3,
      remaining: 3,
      resetMs: 1_000,
      retryAfterMs: Number.POSITIVE_INFINITY,
    };
    expect(limiter.take("k", 4)).toEqual(refusal);
  });

  test("a key's spending is its own", () => {
    const { limiter } = given(settings);
    limiter.take("k", 3);
    expect(limiter.take("other").remaining).toBe(2);
  });

  test("a clock set back by a day locks nobody out", () => {
    const { at, limiter } = given(settings);
    limiter.take("k", 3);
    at.ms -= 24 * 60 * 60 * 1_000;
    expect(limiter.take("k").retryAfterMs).toBe(1_000);
    at.ms += 1_000;
    expect(limiter.take("k").allowed).toBe(true);
  });

  test("a cost below 0 is a mistake", () => {
    const { limiter } = given(settings);
    expect(() => limiter.take("k", -1)).toThrow('Taking "-1" units');
    expect(() => limiter.take("k", Number.NaN)).toThrow('Taking "NaN" units');
  });
});

test("never more keys than allowed are remembered, and those seen last always are", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(fc.nat({ max: 30 })), (keysMax, seen) => {
      const { limiter } = given({ limit: 1, periodSeconds: 60, keysMax });
      for (const [index, key] of seen.entries()) {
        const recent = new Set(
          seen
            .slice(0, index)
            .toReversed()
            .filter((each, at, all) => all.indexOf(each) === at)
            .slice(0, Math.floor(keysMax / 2)),
        );
        const { allowed } = limiter.take(`${key}`);
        if (recent.has(key)) expect(allowed).toBe(false);
        expect(limiter.size()).toBeLessThanOrEqual(keysMax);
      }
    }),
  );
});

test("fractions of a unit are not lost in a million takes", () => {
  const { at, limiter } = given({ limit: 7, periodSeconds: 1, burst: 1 });
  let admitted = 0;
  for (let ms = 0; ms < 1_000_000; ms++) {
    if (limiter.take("k").allowed) admitted++;
    at.ms++;
  }
  // A take comes each millisecond: of 1000/7 ms that a unit takes, the rest of the last is waited for.
  expect(admitted).toBe(Math.ceil(1_000_000 / Math.ceil(1_000 / 7)));
});

test("a key that is seen again is remembered once", () => {
  const { limiter } = given({ limit: 1, periodSeconds: 60, keysMax: 4 });
  for (const key of ["a", "b", "c", "a"]) limiter.take(key);
  expect(limiter.size()).toBe(3);
});

describe("a memory that outlives the limiter", () => {
  const remembered = () => {
    const restedAt = new Map<string, number>();
    let writes = 0;
    return {
      writes: () => writes,
      by: (clock: () => number) => ({
        recall: (key: string) => Math.max(0, (restedAt.get(key) ?? 0) - clock()),
        keep(key: string, restedInMs: number) {
          writes++;
          restedAt.set(key, clock() + restedInMs);
        },
      }),
    };
  };

  test("lets limiters that begin anew at any moment admit no more than one would have", () => {
    const anySteps = fc.array(
      fc.record({ stepMs: fc.integer({ min: -5_000, max: 20_000 }), restart: fc.boolean() }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(anySettings, anySteps, (settings, steps) => {
        const at = { ms: 1_700_000_000_000 };
        const clock = () => at.ms;
        const memory = remembered().by(clock);
        const begin = () => rateLimiter({ ...settings, keysMax: 2 }, clock, memory);
        let limiter = begin();
        let passedMs = 0;
        const admittedAt: number[] = [];
        for (const { stepMs, restart } of steps) {
          at.ms += stepMs;
          passedMs += Math.max(0, stepMs);
          if (restart) limiter = begin();
          while (limiter.take("k").allowed) admittedAt.push(passedMs);
        }
        const perMs = settings.limit / (settings.periodSeconds * 1_000);
        for (const [index, from] of admittedAt.entries()) {
          const last = admittedAt.at(-1) ?? from;
          const most = settings.burst + perMs * (last - from);
          expect(admittedAt.length - index).toBeLessThanOrEqual(most + 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("takes a tenth of the burst from a key at a restart, and is written for each tenth only", () => {
    const at = { ms: 1_700_000_000_000 };
    const kept = remembered();
    const memory = kept.by(() => at.ms);
    const begin = () => rateLimiter({ limit: 100, periodSeconds: 3_600 }, () => at.ms, memory);
    const limiter = begin();
    for (let take = 0; take < 50; take++) limiter.take("k");
    expect(kept.writes()).toBe(5);
    expect(begin().take("k", 0).remaining).toBeGreaterThanOrEqual(40);
    expect(begin().take("k", 0).remaining).toBeLessThanOrEqual(50);
  });

  test("locks nobody out for longer than a whole burst takes, though the clock was set back meanwhile", () => {
    const at = { ms: 1_700_000_000_000 };
    const memory = remembered().by(() => at.ms);
    const begin = () => rateLimiter({ limit: 10, periodSeconds: 10 }, () => at.ms, memory);
    begin().take("k", 10);
    at.ms -= 24 * 60 * 60 * 1_000;
    const limiter = begin();
    expect(limiter.take("k").retryAfterMs).toBe(1_000);
    at.ms += 1_000;
    expect(limiter.take("k").allowed).toBe(true);
  });
});
