/** Where a key stands between 0 and 100 percent: the same in every isolate, at any time. */
import { fmix32 } from "../cqrs/fmix32.ts";
import { fnv1a } from "../cqrs/fnv1a.ts";

/** In [0, 100), evenly spread over keys, which FNV-1a alone does not do; another salt spreads the same keys otherwise. */
export const shareOf = (salt: string, key: string): number =>
  (fmix32(fnv1a(`${salt}\u0000${key}`)) / 2 ** 32) * 100;

/** Whoever takes part at a percentage does so at every larger one. */
export const takesPart = (salt: string, key: string, percentage: number): boolean =>
  shareOf(salt, key) < percentage;
