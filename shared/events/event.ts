/** What an event is, before and after it stands in the log. */
import type { CommitMetadata } from "./commit-metadata.ts";

/** A fact as a domain states it. `type` is past tense; `data` is JSON. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** An event as it is written, with the version of its type's schema that its data follows; absent means 1. */
export interface WrittenEvent extends DomainEvent {
  /** Set by whoever checks events against their schemas; a domain does not speak of it. */
  readonly eventVersion?: number;
}

/** Names one aggregate: `type` is the kind ("order"), `id` matches {@link AGGREGATE_ID}, after its tenant and a dot if it has one. */
export interface AggregateRef {
  readonly type: string;
  readonly id: string;
}

/** Safe as one token of a NATS subject, of a URL path and of a header: no dot, space or wildcard. */
export const AGGREGATE_ID = /^[A-Za-z0-9_-]{1,64}$/;

const ID_IN_LOG = /^(?:[A-Za-z0-9_-]{1,64}\.)?[A-Za-z0-9_-]{1,64}$/;

/** @throws RangeError for an id or type with which one history could be taken for another */
export const assertAggregateRef = ({ type, id }: AggregateRef): void => {
  if (AGGREGATE_ID.test(type) && ID_IN_LOG.test(id)) return;
  const token = AGGREGATE_ID.test(type) ? id : type;
  throw new RangeError(
    `Cannot name the history of "${token.slice(0, 80)}": expected 1 to 64 letters, digits, "_" or "-"`,
  );
};

/** An event that stands in the log. */
export type RecordedEvent<Event extends DomainEvent = DomainEvent> = Event & {
  /** `<commandId>/<index in the commit>`: unique for ever. */
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly time: string;
  /** 1 for an aggregate's first event, without gaps. */
  readonly version: number;
  /** Version of its type's schema that `data` follows; absent means 1. */
  readonly eventVersion?: number;
};

/** One message of the log: everything that one command decided, atomically. */
export interface Commit<Event extends DomainEvent = DomainEvent> {
  readonly aggregate: AggregateRef;
  /** Place in the service's log: grows, has gaps between aggregates. */
  readonly position: number;
  readonly commandId: string;
  /** What rode along with the command: W3C trace context (`traceparent`, `tracestate`), and the epoch. */
  readonly trace: Readonly<Record<string, string>>;
  /** Empty for a commit that was written without. */
  readonly metadata: CommitMetadata;
  readonly events: readonly RecordedEvent<Event>[];
}

/** The commit with other events; whatever else it says is still read when somebody asks. */
export const withEvents = (commit: Commit, events: readonly RecordedEvent[]): Commit => ({
  aggregate: commit.aggregate,
  position: commit.position,
  get commandId() {
    return commit.commandId;
  },
  get trace() {
    return commit.trace;
  },
  get metadata() {
    return commit.metadata;
  },
  events,
});
