/** What asking a limit for one request came to. */
import type { RateVerdict } from "#shared/resilience/rate-limit.ts";
import type { Limit } from "./limit.ts";

export interface Spending {
  readonly limit: Limit;
  readonly verdict: RateVerdict;
}

/** The one that matters to the client: what refuses, the longer wait first; else where less remains, and for longer. */
export const tighter = (one: Spending | undefined, other: Spending): Spending => {
  if (one === undefined) return other;
  const [first, second] = [one.verdict, other.verdict];
  if (first.allowed !== second.allowed) return first.allowed ? other : one;
  if (!first.allowed) return first.retryAfterMs >= second.retryAfterMs ? one : other;
  if (first.remaining !== second.remaining) return first.remaining < second.remaining ? one : other;
  return first.resetMs >= second.resetMs ? one : other;
};
