/** One limit of a route with what is worked out once: whose requests it counts, how it is told, and what the isolate knows. */
import { type RateLimiter, rateLimiter } from "#shared/resilience/rate-limit.ts";
import { rateLimitFields } from "#shared/resilience/rate-limit-headers.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Exchange, HeaderEdit } from "../../exchange.ts";
import type { NamedLimit } from "./named-limits.ts";
import { rateLimitKey } from "./rate-limit-key.ts";
import { toldEdits } from "./told-edits.ts";

export interface Limit {
  readonly settings: NamedLimit;
  keyOf(exchange: Exchange): string;
  /** The isolate's own count; where another tier counts it is kept beside, for when that gives no answer. */
  readonly limiter: RateLimiter;
  /** The item of `RateLimit-Policy`. */
  readonly policy: string;
  /** The item of `RateLimit`, as a change to the answer. */
  told(verdict: { readonly remaining: number; readonly resetMs: number }): HeaderEdit;
}

export const limitOf = (settings: NamedLimit, clock: Clock): Limit => {
  const { policy, current } = rateLimitFields(settings);
  return {
    settings,
    keyOf: rateLimitKey(settings.by),
    limiter: rateLimiter(settings, clock),
    policy,
    told: toldEdits(current),
  };
};
