/** How much a caller may do: the generic cell rate algorithm (ITU-T I.371, annex A), for many keys in bounded memory. */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import { forwardClock } from "./breaker-clock.ts";

export interface RateLimitSettings {
  /** Units that a key may spend in each period in the long run. */
  readonly limit: number;
  readonly periodSeconds: number;
  /** Units that a rested key may spend at once; `limit` when absent. */
  readonly burst?: number;
  /**
   * Keys remembered, at least the half of them that was seen last: one that was forgotten begins rested.
   * `LIMITS.rateLimitKeys` when absent.
   */
  readonly keysMax?: number;
}

export interface RateVerdict {
  readonly allowed: boolean;
  /** The most that can remain: the burst. */
  readonly limit: number;
  /** Whole units that may be spent now. */
  readonly remaining: number;
  /** Until one unit more than `remaining` may have been spent; until then no more than `remaining` is admitted. */
  readonly resetMs: number;
  /** Until as much would be allowed if nothing else is spent: 0 when allowed, Infinity when it is more than the burst. */
  readonly retryAfterMs: number;
}

/**
 * Where keys are remembered for longer than in the limiter's memory. It is told at least what was spent, so that a
 * limiter that begins anew with it admits nothing that the former one would not have.
 */
export interface RateMemory {
  /** Milliseconds until the key is rested, as it was last kept; 0 when nothing is known of it. */
  recall(key: string): number;
  /** @param restedInMs whole milliseconds from now */
  keep(key: string, restedInMs: number): void;
}

export interface RateLimiter {
  /**
   * Spends `cost` units of the key's, or none when they are not there.
   * @param cost whole units, 1 when absent; 0 only looks
   */
  take(key: string, cost?: number): RateVerdict;
  /** Keys remembered now. */
  size(): number;
}

/** Of any stretch of time, whatever comes in whatever order: at most burst + limit × time ÷ period is admitted of a key. */
export const rateLimiter = (settings: RateLimitSettings, clock: Clock, memory?: RateMemory): RateLimiter => {
  const { limit, periodSeconds, burst = limit, keysMax = LIMITS.rateLimitKeys } = settings;
  const time = forwardClock(clock);
  // Time is counted in milliseconds × limit, so that one unit and one millisecond are both whole: no rounding adds up.
  const unit = periodSeconds * 1_000;
  const depth = burst * unit;
  // Kept ahead of what is spent: one write for a tenth of the burst, for which a restart takes a tenth at most from a key.
  const lead = Math.floor(burst / 10) * unit;
  const keys = recentKeys(keysMax, (key) => {
    const backlog = memory ? Math.min(depth, Math.ceil(memory.recall(key)) * limit) : 0;
    const until = backlog > 0 ? time() * limit + backlog : 0;
    return { until, kept: until };
  });
  const keepAhead = (key: string, spent: Spent, now: number): void => {
    spent.kept = spent.until + lead;
    memory?.keep(key, Math.ceil((spent.kept - now) / limit));
  };
  return {
    take(key, cost = 1) {
      if (!(cost >= 0)) throw new RangeError(`Taking "${cost}" units: expected a number from 0`);
      const now = time() * limit;
      const spent = keys.spentOf(key);
      const backlog = Math.max(0, spent.until - now);
      const missing = backlog + cost * unit - depth;
      const allowed = missing <= 0;
      const left = depth - backlog - (allowed ? cost * unit : 0);
      if (allowed && cost > 0) {
        spent.until = now + backlog + cost * unit;
        if (memory && spent.until > spent.kept) keepAhead(key, spent, now);
      }
      const remaining = Math.floor(left / unit);
      return {
        allowed,
        limit: burst,
        remaining,
        resetMs: Math.ceil(((remaining + 1) * unit - left) / limit),
        retryAfterMs: allowed ? 0 : cost > burst ? Number.POSITIVE_INFINITY : Math.ceil(missing / limit),
      };
    },
    size: keys.size,
  };
};

/** Until when a key's units are spent, as if they were spent one after the other at the rate of the limit. */
interface Spent {
  until: number;
  /** The same as the memory knows it, never less. */
  kept: number;
}

/**
 * Two generations: what is seen moves to the younger, and when that is full the older one goes as a whole. Cheaper than
 * moving each key to the end of a Map, and the keys seen last are kept all the same.
 */
const recentKeys = (keysMax: number, begin: (key: string) => Spent) => {
  const generationMax = Math.max(1, Math.floor(keysMax / 2));
  let younger = new Map<string, Spent>();
  let older = new Map<string, Spent>();
  return {
    spentOf(key: string): Spent {
      const known = younger.get(key);
      if (known) return known;
      const spent = older.get(key) ?? begin(key);
      older.delete(key);
      if (younger.size >= generationMax) {
        older = younger;
        younger = new Map();
      }
      younger.set(key, spent);
      return spent;
    },
    size: () => younger.size + older.size,
  };
};
