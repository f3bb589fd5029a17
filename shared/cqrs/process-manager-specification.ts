/** States a process manager's behaviour as a test reads best: given what happened to an instance, when something does, then this. */
import { expect } from "vitest";
import type { DomainEvent } from "../events/event.ts";
import { type AnyProcessManager, type Trigger, triggerText } from "./process-manager.ts";
import { type HandleEvent, type Instance, processAggregate } from "./process-manager-aggregate.ts";
import type { ProcessReacted } from "./process-manager-events.ts";

export interface Happening {
  readonly trigger: Trigger;
  readonly data: object;
}

/** An event of the service named before the dot: `happened("orders.OrderPlaced", { orderId })`. */
export const happened = (type: string, data: object): Happening => ({ trigger: type, data });
/** A timeout that runs is due. */
export const due = (timeout: string): Happening => ({ trigger: { timeout }, data: {} });
/** The newest command of this name was refused. */
export const refused = (command: string, code: string): Happening => ({
  trigger: { refused: command },
  data: { code },
});

export type Reaction =
  /** The instance is in another state then. */
  | { readonly enters: string }
  | { readonly sends: string; readonly to: string; readonly id: string; readonly command: object }
  /** Milliseconds from now. */
  | { readonly starts: string; readonly inMs: number }
  | { readonly cancels: string }
  | { readonly records: DomainEvent };

const NOW = Date.parse("2026-01-31T12:00:00.000Z");
const INSTANCE = "instance";

/** For tests only. The same event once more must change nothing, and what is decided must be the same each time. */
export const reactingProcess = (manager: AnyProcessManager, settings?: unknown) => {
  const aggregate = processAggregate(manager);

  const commandFor = (
    { trigger, data }: Happening,
    instance: Instance,
    sent: ReadonlyMap<string, string>,
  ): HandleEvent => ({
    type: "HandleEvent",
    instance: INSTANCE,
    trigger,
    event: { ...eventFor(trigger, data, instance, sent) },
    at: NOW,
    settings,
  });

  const given = (history: readonly Happening[]) => ({
    when(happening: Happening) {
      let instance = aggregate.initialState();
      const sent = new Map<string, string>();
      const take = (what: Happening) => {
        const command = commandFor(what, instance, sent);
        const decision = aggregate.decide(command, instance);
        expect(aggregate.decide(command, instance), "decided once more").toEqual(decision);
        if (!decision.ok) throw new Error(`"${triggerText(what.trigger)}" was refused: expected events`);
        const before = instance;
        instance = decision.value.reduce(aggregate.evolve, instance);
        expect(aggregate.decide(command, instance), "the same event once more").toEqual({
          ok: true,
          value: [],
        });
        const [first, ...own] = decision.value;
        if (!first) return [];
        const { data } = first as ProcessReacted;
        for (const { name, id } of data.sends) sent.set(name, id);
        return reactionsOf(data, before, own);
      };
      for (const what of history)
        if (take(what).length === 0)
          throw new Error(`"${triggerText(what.trigger)}" changes nothing: nobody could be given it`);
      return {
        /** Exactly this, in this order: the state, what is sent, timeouts started and cancelled, own events. */
        does: (reactions: readonly Reaction[]) => expect(take(happening)).toEqual(reactions),
        /** As `does` with nothing. */
        changesNothing: () => expect(take(happening)).toEqual([]),
      };
    },
  });
  return { given, when: (happening: Happening) => given([]).when(happening) };
};

const eventFor = (
  trigger: Trigger,
  data: object,
  { steps, timeouts }: Instance,
  sent: ReadonlyMap<string, string>,
): HandleEvent["event"] => {
  const id = `event-${steps}`;
  if (typeof trigger === "string") return { type: trigger.split(".")[1] ?? trigger, id, data };
  if ("timeout" in trigger) {
    const { timeout } = trigger;
    return { type: "TimedOut", id: timeouts[timeout] ?? id, data: { timeout, instance: INSTANCE } };
  }
  const commandId = sent.get(trigger.refused) ?? "never sent";
  return { type: "CommandRefused", id, data: { command: trigger.refused, commandId, detail: "", ...data } };
};

const reactionsOf = (
  { from, to, sends, schedules, cancels }: ProcessReacted["data"],
  { timeouts }: Instance,
  own: readonly DomainEvent[],
): Reaction[] => [
  ...(from === to ? [] : [{ enters: to }]),
  ...sends.map(({ name, type, aggregateId, command }) => ({
    sends: name,
    to: type,
    id: aggregateId,
    command,
  })),
  ...schedules.map(({ timeout, at }) => ({ starts: timeout, inMs: Date.parse(at) - NOW })),
  ...cancels.flatMap((id) =>
    Object.entries(timeouts).flatMap(([name, running]) => (running === id ? [{ cancels: name }] : [])),
  ),
  ...own.map((event) => ({ records: event })),
];
