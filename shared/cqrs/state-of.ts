/** An aggregate's state as a process needs it: folded from its history. */
import type { DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { ok, type Result } from "../result.ts";
import type { Aggregate } from "./aggregate.ts";
import type { CommandMethods } from "./command-actor.ts";

/** Sees every acknowledged commit; the initial state for an id without history. Refuses with what `history` refuses. */
export const stateOf = async <State, Command, Event extends DomainEvent>(
  commands: Pick<CommandMethods, "history">,
  aggregate: Aggregate<State, Command, Event>,
  id: string,
): Promise<Result<State, Failure>> => {
  const history = await commands.history({ type: aggregate.type, id });
  if (!history.ok) return history;
  // An aggregate's history holds its own events only.
  const events = history.value.flatMap(
    (commit) => commit.events as readonly DomainEvent[] as readonly Event[],
  );
  return ok(events.reduce(aggregate.evolve, aggregate.initialState()));
};
