/** An aggregate is three pure things: where it starts, how an event changes it, what a command decides. */
import type { DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { Result } from "../result.ts";

export interface Aggregate<State, Command, Event extends DomainEvent> {
  /** The kind, one token of the log's subject: "order". */
  readonly type: string;
  initialState(): State;
  /** Must accept every event ever written; returns a new state. */
  evolve(state: State, event: Event): State;
  /** No events: the command changes nothing and is a success. Time and chance come inside the command. */
  decide(command: Command, state: State): Decision<Event>;
  /** Where histories grow long: a state is kept every so often, so that it need not be folded from the beginning. */
  readonly snapshot?: SnapshotDeclaration<State>;
}

export type Decision<Event extends DomainEvent> = Result<readonly Event[], Failure>;

export interface SnapshotDeclaration<State> {
  /** Raised with every change of `evolve`, of the state's form or of what upcasters give: snapshots of another one are void. */
  readonly version: number;
  /** Events from one snapshot to the next. */
  readonly every: number;
  /** Also keeps it on the NATS server, for an Actor that has lost its own storage; costs a message and, unknown aggregates, a look. */
  readonly inLog?: boolean;
  /** The state as JSON; absent when it is plain JSON as it stands. Anything else is not kept. */
  encode?(state: State): unknown;
  /** The state again, from the parsed JSON of the same `version`; whatever it throws makes the snapshot void. */
  decode?(json: unknown): State;
}
