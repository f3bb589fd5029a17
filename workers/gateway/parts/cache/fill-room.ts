/** The memory of bodies that are on their way into the store, together. */
import { LIMITS } from "#shared/limits.ts";
import type { Clock } from "#shared/runtime/clock.ts";

export interface FillRoom {
  /** A body begins. */
  enter(): Fill;
  /** Bytes counted now. */
  bytes(): number;
}

export interface Fill {
  /** False: there is no room for them, and none of this body is counted any more. */
  take(bytes: number): boolean;
  /** The body is whole, or broke off. Without effect the second time. */
  leave(): void;
}

export const fillRoom = (bytesMax: number, clock: Clock): FillRoom => {
  const fills = new Set<{ bytes: number; touchedAt: number }>();
  let total = 0;
  const remove = (fill: { readonly bytes: number; touchedAt: number }): void => {
    if (fills.delete(fill)) total -= fill.bytes;
  };
  // A request can end without a word, and with it its body.
  const forgetIdle = (): void => {
    for (const fill of fills) if (clock() - fill.touchedAt > LIMITS.cacheFillIdleMs) remove(fill);
  };
  return {
    enter() {
      const fill = { bytes: 0, touchedAt: clock() };
      fills.add(fill);
      return {
        take(bytes) {
          if (total + bytes > bytesMax) forgetIdle();
          if (!fills.has(fill) || total + bytes > bytesMax) {
            remove(fill);
            return false;
          }
          fill.bytes += bytes;
          total += bytes;
          fill.touchedAt = clock();
          return true;
        },
        leave: () => remove(fill),
      };
    },
    bytes: () => total,
  };
};
