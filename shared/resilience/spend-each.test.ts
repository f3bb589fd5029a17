import fc from "fast-check";
import { expect, test } from "vitest";
import { rateLimiter } from "./rate-limit.ts";
import { spendEach } from "./spend-each.ts";

const limitOf = (limit: number, at: { ms: number }) => ({
  limiter: rateLimiter({ limit, periodSeconds: 1, keysMax: 10 }, () => at.ms),
});

test("what one limit refuses is spent from none", () => {
  const at = { ms: 0 };
  const [wide, narrow] = [limitOf(5, at), limitOf(1, at)];
  expect(spendEach([wide, narrow], ["a", "b"]).map(({ verdict }) => verdict.allowed)).toEqual([true, true]);
  for (let time = 0; time < 10; time++) {
    const [first, second] = spendEach([wide, narrow], ["a", "b"]);
    expect(first?.verdict).toMatchObject({ allowed: true, remaining: 4 });
    expect(second?.verdict).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 1_000 });
  }
});

test("together they admit what the narrower of them alone would have, at any pace", () => {
  const anyLimits = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyLimits, fc.array(fc.nat({ max: 400 }), { maxLength: 60 }), (limits, steps) => {
      const at = { ms: 0 };
      const all = limits.map((limit) => limitOf(limit, at));
      const alone = limitOf(Math.min(...limits), at);
      for (const stepMs of steps) {
        at.ms += stepMs;
        const keys = limits.map(() => "k");
        const allowed = spendEach(all, keys).every(({ verdict }) => verdict.allowed);
        expect(allowed).toBe(alone.limiter.take("k").allowed);
      }
    }),
  );
});
