/** An aggregate's state as a process needs it: as its command Actor has folded it. */
import type { DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { ok, type Result } from "../result.ts";
import type { Aggregate } from "./aggregate.ts";
import type { CommandMethods } from "./command-actor.ts";

/** Sees every acknowledged commit; the initial state for an id without history. Refuses with what `state` and `history` refuse. */
export const stateOf = async <State, Command, Event extends DomainEvent>(
  commands: Pick<CommandMethods, "history" | "state">,
  aggregate: Aggregate<State, Command, Event>,
  id: string,
): Promise<Result<State, Failure>> => {
  const ref = { type: aggregate.type, id };
  const now = await commands.state(ref);
  if (!now.ok) return now;
  const { json, schema } = now.value;
  // Another one encoded it during a deployment, or it cannot travel: the events can.
  if (json === null || schema !== (aggregate.snapshot?.version ?? 0)) {
    const history = await commands.history(ref);
    if (!history.ok) return history;
    // An aggregate's history holds its own events only.
    const events = history.value.flatMap(
      (commit) => commit.events as readonly DomainEvent[] as readonly Event[],
    );
    return ok(events.reduce(aggregate.evolve, aggregate.initialState()));
  }
  const state = JSON.parse(json) as unknown;
  return ok(aggregate.snapshot?.decode ? aggregate.snapshot.decode(state) : (state as State));
};
