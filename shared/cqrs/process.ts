/** A process reacts to another service's events with commands to its own aggregates. */
import type { Commit, RecordedEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { Result } from "../result.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";

export interface Process {
  /** Names its Actor. */
  readonly name: string;
  /** The service whose log it follows. */
  readonly source: string;
  /** Types of the events that it reacts to; others pass by. */
  readonly handles: readonly string[];
  /** How it follows the log, where that differs from what is usual. */
  readonly subscription?: SubscriptionOptions;
  /**
   * Called at least once per event; events of one key (the aggregate, usually) in order, those of different keys side by side.
   * A refusal is tried again with backoff and parked after the last attempt. `unavailable` is tried for as long as it lasts.
   * Commands that it sends must carry ids derived from `event.id`.
   * @param signal aborts when the attempt's time is over: another one may begin, so whatever is not done is left to it
   */
  handle(event: RecordedEvent, commit: Commit, signal: AbortSignal): Promise<Result<unknown, Failure>>;
}
