/** Lets at most so many calls be under way at once; others wait for their turn, in order and not for long, or are refused. */
import { LIMITS } from "../limits.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import { forwardClock } from "./breaker-clock.ts";
import { bulkheadQueue } from "./bulkhead-queue.ts";
import { type BulkheadSlot, bulkheadSlots } from "./bulkhead-slots.ts";

/** Each field may be left out; its default is named beside it. */
export type BulkheadPolicy = {
  /** Calls under way at once; 0 refuses all. Default: 100. */
  readonly concurrent?: number;
  /** Calls that wait for a slot; 0: none waits. Default: 0. */
  readonly queue?: number;
  /** The longest that a call waits. Default: 100. */
  readonly waitMs?: number;
  /** A slot that is held for longer is taken back: its request is gone. More than any call may take. Default: 120,000. */
  readonly heldMsMax?: number;
};

export type BulkheadMetrics = {
  readonly inFlight: number;
  readonly waiting: number;
  /** Since it was made. */
  readonly refused: number;
  /** Slots taken back from holders that never gave them back, since it was made. */
  readonly takenBack: number;
};

export interface Bulkhead {
  /** A slot at once, never before those who wait; undefined: refused. */
  enter(): BulkheadSlot | undefined;
  /**
   * A slot at once or within the policy's wait; undefined: refused.
   * Each call looks after its turn by its own timer, since on Workers no request may wait for another's promise.
   * @throws the signal's reason
   */
  wait(signal?: AbortSignal): Promise<BulkheadSlot | undefined>;
  /** To be said once the call has ended, however it did. A slot that was given back or taken back is not freed again. */
  leave(slot: BulkheadSlot): void;
  metrics(): BulkheadMetrics;
}

/** @param options.policy asked at every call; calls that are under way stay when it allows fewer */
export const bulkhead = ({
  policy,
  clock,
  sleep,
}: {
  policy: () => BulkheadPolicy;
  clock: Clock;
  sleep: Sleep;
}): Bulkhead => {
  const now = forwardClock(clock);
  const slots = bulkheadSlots();
  const queue = bulkheadQueue();
  const totals = { refused: 0, takenBack: 0 };
  const searches = new Float64Array(1).fill(Number.NEGATIVE_INFINITY);

  const concurrent = (): number => Math.min(LIMITS.bulkheadSlots, Math.floor(policy().concurrent ?? 100));

  /** The search costs a look at every slot, so that a full bulkhead affords it seldom. */
  const searchForLost = (at: number): void => {
    if (at - (searches[0] as number) < LIMITS.bulkheadSearchMs) return;
    searches[0] = at;
    totals.takenBack += slots.takeBackOlderThan(at - (policy().heldMsMax ?? 120_000));
  };

  /** @param ahead calls whose turn comes before */
  const takeBehind = (ahead: number, at: number): BulkheadSlot | undefined => {
    if (slots.used() + ahead >= concurrent()) searchForLost(at);
    return slots.used() + ahead < concurrent() ? slots.take(at) : undefined;
  };

  const enterNow = (): BulkheadSlot | undefined => {
    const at = now();
    return takeBehind(queue.waiting(at), at);
  };

  const refuse = (): undefined => {
    totals.refused += 1;
    return undefined;
  };

  const waitInLine = async (signal: AbortSignal | undefined): Promise<BulkheadSlot | undefined> => {
    const { queue: places = 0, waitMs = 100 } = policy();
    const until = now() + waitMs;
    if (queue.waiting(now()) >= Math.min(places, LIMITS.bulkheadQueue)) return refuse();
    const ticket = queue.join(until);
    try {
      while (now() < until) {
        await sleep(Math.min(LIMITS.bulkheadLookMs, until - now()), signal);
        const at = now();
        const slot = takeBehind(queue.ahead(ticket, at), at);
        if (slot !== undefined) return slot;
      }
      return refuse();
    } finally {
      queue.leave(ticket);
    }
  };

  return {
    enter: () => enterNow() ?? refuse(),
    async wait(signal) {
      signal?.throwIfAborted();
      return enterNow() ?? waitInLine(signal);
    },
    leave: slots.giveBack,
    metrics: () => ({ inFlight: slots.used(), waiting: queue.waiting(now()), ...totals }),
  };
};
