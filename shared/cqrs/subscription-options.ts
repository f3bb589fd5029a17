/** How a process follows its source's log: what keeps order, how often it tries, and what happens when it gives up. */
import type { Commit, RecordedEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import { type Backoff, USUAL_BACKOFF } from "./backoff.ts";

export interface SubscriptionOptions {
  /** Events of one key are handled in the log's order, those of others side by side. The aggregate's id when absent. */
  readonly keyOf?: (event: RecordedEvent, commit: Commit) => string;
  /** After so many refusals an event is parked; {@link LIMITS.processAttempts} when absent. `unavailable` is none. */
  readonly attempts?: number;
  /**
   * Milliseconds of one attempt, {@link LIMITS.processAttemptMs} when absent. Then it has failed, and its event is tried again or
   * parked, although the handler may go on.
   */
  readonly attemptMs?: number;
  /** Events handled at once; {@link LIMITS.processConcurrency} when absent. */
  readonly concurrency?: number;
  /** Pauses between attempts; from 100 ms, doubling up to 5 s, when absent. */
  readonly backoff?: Backoff;
  /** What later events of a parked one's key do: `go_on` when absent, or `wait`, parked behind it. */
  readonly whenParked?: "go_on" | "wait";
  /** Where it begins when it is new: `beginning` when absent; a position is the first that is handled. */
  readonly from?: "beginning" | "now" | number;
}

export type SubscriptionPolicy = Required<SubscriptionOptions>;

/** @throws RangeError for an option beyond its bound */
export const subscriptionPolicy = (name: string, options: SubscriptionOptions = {}): SubscriptionPolicy => {
  const policy: SubscriptionPolicy = {
    keyOf: (_, commit) => commit.aggregate.id,
    attempts: LIMITS.processAttempts,
    attemptMs: LIMITS.processAttemptMs,
    concurrency: LIMITS.processConcurrency,
    backoff: USUAL_BACKOFF,
    whenParked: "go_on",
    from: "beginning",
    ...options,
  };
  const within = (what: string, value: number, min: number, max: number) => {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    throw new RangeError(
      `Cannot start the process "${name}" with ${what} "${value}": expected a whole number from ${min} to ${max}`,
    );
  };
  within("attempts", policy.attempts, 1, LIMITS.subscriptionAttempts);
  within("attemptMs", policy.attemptMs, 1, LIMITS.subscriptionAttemptMs);
  within("concurrency", policy.concurrency, 1, LIMITS.subscriptionConcurrency);
  within("backoff.firstMs", policy.backoff.firstMs, 1, LIMITS.subscriptionBackoffMs);
  within("backoff.mostMs", policy.backoff.mostMs, policy.backoff.firstMs, LIMITS.subscriptionBackoffMs);
  if (typeof policy.from === "number") within("from", policy.from, 1, Number.MAX_SAFE_INTEGER);
  return policy;
};
