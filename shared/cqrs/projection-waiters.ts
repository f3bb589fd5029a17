/** Who waits until a read model holds a position. */
import type { Sleep } from "../runtime/clock.ts";

export interface PositionWaiters {
  /** Says that the rows hold everything up to here. */
  reach(position: number): void;
  /** The last that was reached; undefined before the first. */
  position(): number | undefined;
  holds(position: number): boolean;
  /** True as soon as it is reached, false after `timeoutMs`. */
  waitFor(position: number, timeoutMs: number): Promise<boolean>;
}

export const positionWaiters = (sleep: Sleep): PositionWaiters => {
  let reached: number | undefined;
  const waiting = new Set<{ position: number; reached: () => void }>();
  const holds = (position: number) => reached !== undefined && reached >= position;

  return {
    reach(position) {
      reached = position;
      for (const waiter of waiting) if (waiter.position <= position) waiter.reached();
    },
    position: () => reached,
    holds,
    waitFor(position, timeoutMs) {
      if (holds(position)) return Promise.resolve(true);
      return new Promise((resolve) => {
        const patience = new AbortController();
        const settle = () => {
          waiting.delete(waiter);
          patience.abort();
          resolve(holds(position));
        };
        const waiter = { position, reached: settle };
        waiting.add(waiter);
        sleep(timeoutMs, patience.signal).then(settle, () => undefined);
      });
    },
  };
};
