/** How long to wait before the next attempt: exponential, jittered over its upper half, bounded. */
import type { Random } from "../runtime/clock.ts";

const FIRST_MS = 100;
const MOST_MS = 5_000;

/** @param failures how many attempts have failed so far, from 1 */
export const backoffMs = (failures: number, random: Random): number => {
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return Math.ceil(ceiling * (0.5 + random() / 2));
};
