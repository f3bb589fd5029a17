/** The slots of a bulkhead: who holds one is known by a number, so that none is given back twice or lost for ever. */
import { LIMITS } from "../limits.ts";

/** Of one holder: the slot's index and how often it was used before. */
export type BulkheadSlot = number & { readonly slot: "bulkhead" };

export interface BulkheadSlots {
  used(): number;
  /** Bounding their number is the caller's; there is room for `LIMITS.bulkheadSlots`. */
  take(now: number): BulkheadSlot;
  giveBack(slot: BulkheadSlot): void;
  /** How many were held since before `ms`, and are free now. */
  takeBackOlderThan(ms: number): number;
}

const INDEX_BITS = Math.ceil(Math.log2(LIMITS.bulkheadSlots));
const INDEX = 2 ** INDEX_BITS - 1;
/** Keeps a slot's number within 30 bits, which an engine holds without allocating. */
const USES = 2 ** (30 - INDEX_BITS) - 1;
const FREE = -1;

export const bulkheadSlots = (): BulkheadSlots => {
  const since: number[] = [];
  const uses: number[] = [];
  const free: number[] = [];
  let used = 0;

  const release = (index: number): void => {
    since[index] = FREE;
    uses[index] = ((uses[index] as number) + 1) & USES;
    free.push(index);
    used -= 1;
  };
  return {
    used: () => used,
    take(now) {
      const index = free.pop() ?? since.push(FREE) - 1;
      since[index] = now;
      uses[index] ??= 0;
      used += 1;
      return (((uses[index] as number) << INDEX_BITS) | index) as BulkheadSlot;
    },
    giveBack(slot) {
      const index = slot & INDEX;
      const held = since[index];
      if (held !== undefined && held !== FREE && uses[index] === slot >> INDEX_BITS) release(index);
    },
    takeBackOlderThan(ms) {
      const before = used;
      for (const [index, held] of since.entries()) if (held !== FREE && held < ms) release(index);
      return before - used;
    },
  };
};
