/** Lets one request at a time flush for its whole isolate, without depending on that request's life. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";

export interface FlushLeaseOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Never rejects. */
  readonly flush: () => Promise<void>;
  /** Whether there is, or will soon be, something to flush. */
  readonly expectsMore: () => boolean;
}

/** After this the next request takes over; also how long a cancelled request can hold the others up. */
const LEASE_MS = 5_000;

/** Without anyone taking over, a request flushes for this long; the platform ends `waitUntil` after 30 seconds. */
const HOLD_MS = 25_000;

/**
 * Returns `flushSoon`: the first caller's `waitUntil` carries a loop that flushes every `intervalMs` until nothing is
 * expected; other callers return at once. On Workers timers and requests belong to the request that made them, so
 * a cancelled request's loop may just stop: its lease ends by the clock.
 */
export const flushLease = ({ intervalMs, clock, sleep, flush, expectsMore }: FlushLeaseOptions) => {
  let current: { since: number } | undefined;

  const flushUntilQuiet = async (lease: { since: number }) => {
    do {
      await sleep(intervalMs);
      await flush();
    } while (current === lease && expectsMore() && clock() - lease.since < HOLD_MS);
    if (current === lease) current = undefined;
  };

  return (waitUntil: (work: Promise<unknown>) => void): void => {
    const now = clock();
    if (current && now - current.since < LEASE_MS) return;
    const lease = { since: now };
    current = lease;
    waitUntil(flushUntilQuiet(lease));
  };
};
