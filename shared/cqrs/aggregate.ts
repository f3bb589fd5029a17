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
}

export type Decision<Event extends DomainEvent> = Result<readonly Event[], Failure>;
