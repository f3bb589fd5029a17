/** The calls that a breaker judges: the last so many, or those of the last seconds. Moves when it is looked at. */
import type { BreakerSettings } from "./breaker-policy.ts";

export interface BreakerWindow {
  /** Sums of what is in the window, as of the last look or record. */
  readonly sums: { calls: number; failures: number; slow: number };
  /** @param now milliseconds that never go back */
  record(now: number, failed: boolean, slow: boolean): void;
  /** Leaves out what has become too old. */
  look(now: number): void;
  clear(): void;
}

export const breakerWindow = (window: BreakerSettings["window"]): BreakerWindow =>
  window.kind === "count" ? countWindow(window.calls) : timeWindow(window.seconds * 1_000);

const FAILED = 1;
const SLOW = 2;

const countWindow = (size: number): BreakerWindow => {
  const ring = new Uint8Array(size);
  const sums = { calls: 0, failures: 0, slow: 0 };
  let next = 0;
  return {
    sums,
    record(_now, failed, slow) {
      const old = ring[next] as number;
      if (sums.calls < size) sums.calls += 1;
      else if (old !== 0) {
        if (old & FAILED) sums.failures -= 1;
        if (old & SLOW) sums.slow -= 1;
      }
      if (failed) sums.failures += 1;
      if (slow) sums.slow += 1;
      ring[next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
      next = next + 1 === size ? 0 : next + 1;
    },
    look() {},
    clear() {
      next = 0;
      sums.calls = sums.failures = sums.slow = 0;
    },
  };
};

/** The window is the bucket that is being filled and those before it, so it is up to one bucket shorter than it is long. */
const BUCKETS = 10;
const FIELDS = 3;

const timeWindow = (lengthMs: number): BreakerWindow => {
  const buckets = new Int32Array(BUCKETS * FIELDS);
  const sums = { calls: 0, failures: 0, slow: 0 };
  const bucketMs = lengthMs / BUCKETS;
  const times = new Float64Array(2);
  const SERIAL = 0;
  const END = 1;
  times[END] = bucketMs;
  let at = 0;

  const empty = (bucket: number) => {
    const start = bucket * FIELDS;
    sums.calls -= buckets[start] as number;
    sums.failures -= buckets[start + 1] as number;
    sums.slow -= buckets[start + 2] as number;
    buckets.fill(0, start, start + FIELDS);
  };
  const move = (now: number) => {
    const serial = Math.floor(now / bucketMs);
    const passed = serial - (times[SERIAL] as number);
    times[SERIAL] = serial;
    times[END] = (serial + 1) * bucketMs;
    for (let step = Math.min(passed, BUCKETS); step > 0; step--) {
      at = at + 1 === BUCKETS ? 0 : at + 1;
      empty(at);
    }
  };
  return {
    sums,
    record(now, failed, slow) {
      if (now >= (times[END] as number)) move(now);
      const start = at * FIELDS;
      sums.calls += 1;
      (buckets[start] as number) += 1;
      if (failed) {
        sums.failures += 1;
        (buckets[start + 1] as number) += 1;
      }
      if (slow) {
        sums.slow += 1;
        (buckets[start + 2] as number) += 1;
      }
    },
    look(now) {
      if (now >= (times[END] as number)) move(now);
    },
    clear() {
      buckets.fill(0);
      sums.calls = sums.failures = sums.slow = 0;
    },
  };
};
