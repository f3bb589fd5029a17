/** Where a key stands between 0 and 100 percent: the same in every isolate, at any time. */
import { fnv1a } from "../cqrs/fnv1a.ts";

/** MurmurHash3's last mix (fmix32): FNV-1a alone leaves keys that differ in their last character close together. */
const mixed = (hash: number): number => {
  let mix = hash;
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
};

/** In [0, 100), evenly spread over keys; another salt spreads the same keys otherwise. */
export const shareOf = (salt: string, key: string): number =>
  (mixed(fnv1a(`${salt}\u0000${key}`)) / 2 ** 32) * 100;

/** Whoever takes part at a percentage does so at every larger one. */
export const takesPart = (salt: string, key: string, percentage: number): boolean =>
  shareOf(salt, key) < percentage;
