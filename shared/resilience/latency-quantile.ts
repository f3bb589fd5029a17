/** How long an upstream takes in all but its slowest answers, as a running estimate in a kilobyte. */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";

export interface LatencyQuantile {
  /** An attempt took that long. */
  record(ms: number): void;
  /**
   * An attempt was given up after that long, for another was faster: else only fast ones would count. It counts as the estimate
   * at most, or the estimate would grow with each attempt that is given up a little after it.
   */
  recordGivenUp(ms: number): void;
  /** Within 5 % of the exact quantile of what was recorded; undefined while too little is known. */
  valueMs(): number | undefined;
  /**
   * Whole milliseconds that only the slowest take longer than, however far the estimate and a clock of whole milliseconds are
   * off: a timer set to `valueMs` of answers that all take 1 to 2 ms would be sooner than a third of them.
   */
  beyondMs(): number | undefined;
}

export type LatencyQuantileOptions = {
  /** The share of answers that are as fast or faster, as 0.95. */
  quantile: number;
  /** After this time what was recorded counts half. */
  halfLifeMs: number;
  /** Fewer recorded, by their weight, tell nothing. */
  recordedMin: number;
};

/** Largest relative error: bounds grow by (1 + e) / (1 - e), as in DDSketch (VLDB 12, 2019). */
const RELATIVE_ERROR = 0.05;
const GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GROWTH = Math.log(GROWTH);
const TOP = Math.ceil(Math.log(LIMITS.latencyMs) / LOG_GROWTH);

/**
 * A histogram whose bucket `b` holds what took up to `GROWTH ** b` ms; all up to 1 ms is 1 ms, and all above
 * `LIMITS.latencyMs` is that. Every half-life all weights are halved, when somebody looks.
 */
export const latencyQuantile = (
  clock: Clock,
  { quantile, halfLifeMs, recordedMin }: LatencyQuantileOptions,
): LatencyQuantile => {
  const weights = new Float64Array(TOP + 1);
  let total = 0;
  let halvedAt = clock();
  /** The quantile's bucket, and the weight of all up to it: kept along, so that nobody adds up buckets. */
  let at = 0;
  let upTo = 0;

  const weightAt = (bucket: number): number => weights[bucket] ?? 0;

  const follow = () => {
    const wanted = quantile * total;
    while (upTo < wanted && at < TOP) upTo += weightAt(++at);
    while (at > 0 && upTo - weightAt(at) >= wanted) upTo -= weightAt(at--);
  };

  const age = () => {
    const halvings = Math.floor((clock() - halvedAt) / halfLifeMs);
    if (halvings < 1) return;
    halvedAt += halvings * halfLifeMs;
    const share = halvings > FORGOTTEN ? 0 : 2 ** -halvings;
    total *= share;
    upTo *= share;
    for (let bucket = 0; bucket <= TOP; bucket++) weights[bucket] = weightAt(bucket) * share;
  };

  const isKnown = (): boolean => {
    age();
    return total >= recordedMin && total > 0;
  };

  const add = (bucket: number): void => {
    age();
    weights[bucket] = weightAt(bucket) + 1;
    total += 1;
    if (bucket <= at) upTo += 1;
    follow();
  };

  return {
    record: (ms) => add(bucketOf(ms)),
    recordGivenUp: (ms) => add(Math.min(at, bucketOf(ms))),
    valueMs() {
      if (!isKnown()) return undefined;
      return at === 0 ? 1 : (2 * GROWTH ** at) / (GROWTH + 1);
    },
    beyondMs: () => (isKnown() ? Math.floor(GROWTH ** at) + 1 : undefined),
  };
};

const bucketOf = (ms: number): number => (ms > 1 ? Math.min(TOP, Math.ceil(Math.log(ms) / LOG_GROWTH)) : 0);

/** Half-lives after which nothing is left: weights stay exact in a double until then. */
const FORGOTTEN = 20;
