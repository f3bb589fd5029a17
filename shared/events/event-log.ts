/** The EventLog port: append, read, tail. One log per service. Adapters: JetStream (`nats/`), in memory (unit tests). */
import type { Result } from "../result.ts";
import type { CommitMetadata } from "./commit-metadata.ts";
import type { AggregateRef, Commit, RecordedEvent, WrittenEvent } from "./event.ts";

export interface Append {
  readonly aggregate: AggregateRef;
  /** Position of the aggregate's last commit as the writer knows it; 0 when it must not exist yet. */
  readonly expectedPosition: number;
  /** Version of the aggregate's last event as the writer knows it; 0 when it must not exist yet. */
  readonly expectedVersion: number;
  /** Appending the same command id to the same aggregate again is a success with the first position. */
  readonly commandId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly events: readonly WrittenEvent[];
  readonly trace: Readonly<Record<string, string>>;
  /** Who and what it goes back to; whatever `assertMetadata` or `assertTenant` refuse is refused here. */
  readonly metadata?: CommitMetadata;
}

export type AppendRefusal =
  /** Another command came first: read again and decide again. Nothing was written. */
  | { readonly code: "conflict" }
  /** The log did not answer in time or is not reachable: whether it was written is not known. */
  | { readonly code: "unavailable"; readonly detail: string }
  /** The commit is larger than one message may be. Nothing was written. */
  | { readonly code: "too_large"; readonly detail: string }
  /** It holds something personal of a data subject that was forgotten. Nothing was written. */
  | { readonly code: "forgotten"; readonly detail: string };

export interface Appended {
  readonly position: number;
  /** True when an earlier append of the same command had already written it. */
  readonly duplicate: boolean;
}

/** Thrown by reads when the log cannot be reached; appends say so by value. */
export class LogUnavailable extends Error {
  override readonly name = "LogUnavailable";
}

export interface ReadOptions {
  /** Only commits after this position. */
  readonly after?: number;
  /** At most so many, the oldest. */
  readonly most?: number;
  /** Epoch ms by which the read ends, if need be with LogUnavailable; without it a read may last while commits keep coming. */
  readonly until?: number;
}

/** Where an aggregate stands. */
export interface LastCommit {
  readonly position: number;
  /** Of its last event. */
  readonly version: number;
  readonly commandId: string;
}

/** @throws TypeError for a commit without events, which nothing appends */
export const lastOf = ({ position, commandId, events }: Commit): LastCommit => ({
  position,
  version: (events.at(-1) as RecordedEvent).version,
  commandId,
});

export interface EventLog {
  /** @param until epoch ms by which it is answered, where that is sooner than an append's own bound */
  append(commit: Append, until?: number): Promise<Result<Appended, AppendRefusal>>;
  /** The aggregate's commits, oldest first. Sees every acknowledged append. @throws LogUnavailable */
  read(aggregate: AggregateRef, options?: ReadOptions): Promise<Commit[]>;
  /**
   * The aggregate's last commit, or undefined when it has none. Sees every acknowledged append.
   * @param until epoch ms by which it is answered @throws LogUnavailable
   */
  last(aggregate: AggregateRef, until?: number): Promise<LastCommit | undefined>;
  /**
   * Commits of the whole log after a position, in order, for ever: batches of 1..`batchMax`, as large as what has arrived.
   * Ends when the signal aborts. @throws LogUnavailable when the connection is lost
   */
  tail(options: { after: number; batchMax: number; signal: AbortSignal }): AsyncIterable<readonly Commit[]>;
  /** Position of the newest commit; 0 for an empty log. @throws LogUnavailable */
  lastPosition(): Promise<number>;
  /**
   * Position of the first commit that was written at `atMs` (epoch ms) or later; one more than the last when none was.
   * @throws LogUnavailable
   */
  positionAt(atMs: number): Promise<number>;
}
