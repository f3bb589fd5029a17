/** Several limits at once: all of them must allow, and none is spent from when one does not. */
import type { RateLimiter, RateVerdict } from "./rate-limit.ts";

/**
 * One unit of each limit, or of none.
 * @param keys whose units, for each limit
 * @returns what came of each limit, in order
 */
export const spendEach = <Limit extends { readonly limiter: RateLimiter }>(
  limits: readonly Limit[],
  keys: readonly string[],
): { readonly limit: Limit; readonly verdict: RateVerdict }[] => {
  const seen = limits.map((limit, at) => ({ limit, verdict: limit.limiter.take(keys[at] ?? "", 0) }));
  const allow = seen.every(({ verdict }) => verdict.remaining > 0);
  return seen.map((now, at) => {
    const { limit, verdict } = now;
    // Where nothing remains, nothing is spent by asking: that only finds out how long to wait.
    if (!allow && verdict.remaining > 0) return now;
    return { limit, verdict: limit.limiter.take(keys[at] ?? "") };
  });
};
