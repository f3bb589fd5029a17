/** What carries messages: it knows addresses, envelopes and bounds, and nothing of what is in them. */
import type { CommitMetadata } from "../events/commit-metadata.ts";
import type { Failure } from "../http/errors.ts";
import type { Result } from "../result.ts";

/** A message on its way: plain data, so that it goes through an Actor as it is. */
export interface Message {
  readonly address: string;
  readonly id: string;
  /** A CloudEvent in the JSON format. */
  readonly body: string;
  /** Trace context and epoch. */
  readonly trace: Readonly<Record<string, string>>;
  readonly metadata: CommitMetadata;
  /** What remained of the requester's time when it was sent; absent for a topic. */
  readonly deadlineMs?: number;
}

/** Who hears what is sent to an address. */
export interface MessageListener {
  readonly address: string;
  /** Of all that listen in one group only one gets each message. Absent: everyone does. */
  readonly group?: string;
  /** Handles a message; the text is the answer to a request. Never rejects. */
  receive(message: Message): Promise<string | undefined>;
  /** What a request is answered when too many are waiting. */
  busy?(message: Message): string;
}

/** How it goes with one listener, since it was made. */
export interface ListenerState {
  readonly address: string;
  readonly group?: string;
  /** Taken, and not handled yet. */
  readonly pending: number;
  readonly handled: number;
  /** Not taken, because `LIMITS.messagesPending` were pending: a slow consumer. */
  readonly dropped: number;
}

export interface Listening {
  /**
   * Listens until the signal aborts, and also after it: who comes back goes on without a gap. Nothing is missed when a
   * connection is replaced by a newer one; what is sent while there is none is.
   * @param listens called each time that a connection hears everything
   * @throws when the connection is lost, or there is none
   */
  keep(signal: AbortSignal, listens: () => void): Promise<void>;
  states(): readonly ListenerState[];
  /** Hears nothing more; what was taken is handled. */
  close(): void;
}

export interface MessageTransport {
  /** `messaging.system` of its spans. */
  readonly system: string;
  /** Hands it over to whoever listens now. It refuses with `unavailable`, when it is sure that nobody could hear it. */
  publish(message: Message): Promise<Result<void, Failure>>;
  /** The answer's text. `unavailable` at once where nobody listens, and when the time is over. Never rejects. */
  request(message: Message, timeoutMs: number): Promise<Result<string, Failure>>;
  listen(listeners: readonly MessageListener[]): Listening;
}
