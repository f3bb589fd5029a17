/** States an aggregate's behaviour as a test reads best: given events, when a command, then events or a refusal. */
import { expect } from "vitest";
import type { DomainEvent } from "../events/event.ts";
import type { Aggregate } from "./aggregate.ts";

interface Outcome<Event> {
  /** Exactly these events, in order; none means that the command succeeds and changes nothing. */
  records(events: readonly Event[]): void;
  /** The command is refused with this code; `detail` is a part of what the client reads. */
  refuses(code: string, detail?: string): void;
}

/** `specification(order).given([placed]).when(cancel).records([cancelled])`; for tests only. */
export const specification = <State, Command, Event extends DomainEvent>(
  aggregate: Aggregate<State, Command, Event>,
) => ({
  given: (history: readonly Event[]) => ({
    when(command: Command): Outcome<Event> {
      const state = history.reduce(aggregate.evolve, aggregate.initialState());
      const decision = aggregate.decide(command, state);
      return {
        records: (events) => expect(decision).toEqual({ ok: true, value: events }),
        refuses: (code, detail = "") =>
          expect(decision).toEqual({ ok: false, error: { code, detail: expect.stringContaining(detail) } }),
      };
    },
  }),
});
