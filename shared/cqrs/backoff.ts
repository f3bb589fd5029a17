/** How long to wait before the next attempt: exponential, jittered over its upper half, bounded. */
import type { Random } from "../runtime/clock.ts";

export interface Backoff {
  /** The longest pause after the first failure; it doubles with each further one. */
  readonly firstMs: number;
  /** No pause is longer. */
  readonly mostMs: number;
}

/** 100 ms to 5 s. */
export const USUAL_BACKOFF: Backoff = { firstMs: 100, mostMs: 5_000 };

/** @param failures how many attempts have failed so far, from 1 */
export const backoffMs = (failures: number, random: Random, { firstMs, mostMs } = USUAL_BACKOFF): number => {
  const ceiling = Math.min(mostMs, firstMs * 2 ** (failures - 1));
  return Math.ceil(ceiling * (0.5 + random() / 2));
};
