/** An instance of a process manager as an aggregate: an event is handled by one commit, which holds all that follows from it. */
import type { DomainEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import { rfc3339 } from "../runtime/clock.ts";
import type { Aggregate } from "./aggregate.ts";
import {
  type AnyProcessManager,
  aggregateTypeOf,
  endsIn,
  type Occasion,
  START,
  type Trigger,
  triggerText,
} from "./process-manager.ts";
import type { ProcessReacted } from "./process-manager-events.ts";

type Data = ProcessReacted["data"];
type Step = AnyProcessManager["steps"][number];

export interface Instance {
  readonly at: string;
  /** Events handled so far; what they send and schedule is numbered by it. */
  readonly steps: number;
  /** The definition's own. */
  readonly state: unknown;
  /** Ids of the newest handled events: beyond what a command Actor remembers of command ids. */
  readonly handled: readonly string[];
  /** Ids of running timeouts, by name. */
  readonly timeouts: Readonly<Record<string, string>>;
  /** What takes back the commands so far, oldest first. */
  readonly undo: Data["undo"];
  /** Ids of commands that were refused: they are not sent again. */
  readonly refused: readonly string[];
}

export interface HandleEvent {
  readonly type: "HandleEvent";
  readonly instance: string;
  /** In whose name the event came, where somebody's: two tenants may have instances of the same id. */
  readonly tenant?: string | undefined;
  readonly trigger: Trigger;
  readonly event: DomainEvent & { readonly id: string };
  /** Epoch milliseconds. */
  readonly at: number;
  readonly settings: unknown;
}

export const processAggregate = (
  manager: AnyProcessManager,
): Aggregate<Instance, HandleEvent, DomainEvent> => ({
  type: aggregateTypeOf(manager),
  initialState: () => ({
    at: START,
    steps: 0,
    state: manager.initialState(),
    handled: [],
    timeouts: {},
    undo: [],
    refused: [],
  }),
  evolve: (instance, event) =>
    isReacted(event) ? reacted(instance, event.data) : withOwn(manager, instance, event),
  decide(command, instance) {
    if (instance.handled.includes(command.event.id)) return ok([]);
    const step = stepFor(manager, instance, command);
    if (!step && !refusedBy(command)) return ok([]);
    const own = step?.records?.(occasionOf(instance, command)) ?? [];
    return ok([{ type: "ProcessReacted", data: reactionTo(manager, instance, command, step) }, ...own]);
  },
});

const isReacted = (event: DomainEvent): event is ProcessReacted => event.type === "ProcessReacted";

const withOwn = (manager: AnyProcessManager, instance: Instance, event: DomainEvent): Instance => ({
  ...instance,
  state: manager.evolve(instance.state, event),
});

const reacted = (
  instance: Instance,
  { handled, to, sends, undo, schedules, cancels, refused }: Data,
): Instance => {
  const takenBack = new Set(sends.map(({ undoes }) => undoes));
  const running = Object.entries(instance.timeouts).filter(
    ([, id]) => id !== handled && !cancels.includes(id),
  );
  return {
    ...instance,
    at: to,
    steps: instance.steps + 1,
    handled: [...instance.handled, handled].slice(-LIMITS.processHandled),
    timeouts: {
      ...Object.fromEntries(running),
      ...Object.fromEntries(schedules.map(({ timeout, id }) => [timeout, id])),
    },
    undo: [...instance.undo, ...undo].filter(({ of }) => of !== refused && !takenBack.has(of)),
    refused: refused === undefined ? instance.refused : [...instance.refused, refused],
  };
};

const occasionOf = (
  { state }: Instance,
  { instance, event, settings }: HandleEvent,
): Occasion<unknown, DomainEvent, unknown> => ({ instance, state, event, settings });

/** Undefined when the event changes nothing here: a timeout that was cancelled meanwhile, or nothing is done on it now. */
const stepFor = (manager: AnyProcessManager, instance: Instance, command: HandleEvent): Step | undefined => {
  const { trigger, event } = command;
  if (typeof trigger === "object" && "timeout" in trigger && instance.timeouts[trigger.timeout] !== event.id)
    return undefined;
  const wanted = triggerText(trigger);
  return manager.steps.find(
    (step) =>
      step.in.includes(instance.at) &&
      step.on.some((on) => triggerText(on) === wanted) &&
      (step.when?.holds(occasionOf(instance, command)) ?? true),
  );
};

const refusedBy = ({ trigger, event }: HandleEvent): string | undefined =>
  typeof trigger === "object" && "refused" in trigger
    ? (event.data as { readonly commandId: string }).commandId
    : undefined;

/** @param step absent for a refusal that changes nothing any more: it is noted, so that the command is not sent again */
const reactionTo = (
  manager: AnyProcessManager,
  instance: Instance,
  command: HandleEvent,
  step: Step | undefined,
): Data => {
  const occasion = occasionOf(instance, command);
  const refused = refusedBy(command);
  const to = step?.to ?? instance.at;
  // Derived from the place in the instance's history: the same for ever, and no longer with each step of a chain.
  const whose = [...(command.tenant === undefined ? [] : [command.tenant]), command.instance].join(".");
  const idOf = (what: string) => `${aggregateTypeOf(manager)}.${whose}.${instance.steps + 1}.${what}`;
  const sends = (step?.sends ?? []).map((send, index) => ({
    ...sentBy(send, occasion),
    id: idOf(`${index}`),
  }));
  const undo = (step?.sends ?? []).flatMap((send, index) =>
    send.undo ? [{ ...sentBy(send.undo, occasion), of: idOf(`${index}`) }] : [],
  );
  const schedules = (step?.schedules ?? []).map((schedule) => ({
    timeout: schedule.timeout,
    id: idOf(schedule.timeout),
    at: rfc3339("at" in schedule ? schedule.at(occasion) : command.at + schedule.afterMs(occasion)),
  }));
  return {
    process: manager.name,
    handled: command.event.id,
    trigger: triggerText(command.trigger),
    from: instance.at,
    to,
    sends: [...sends, ...(step?.compensates ? compensations(instance, refused, sends.length, idOf) : [])],
    undo: step?.compensates ? [] : undo,
    schedules,
    cancels: cancelled(instance, command, {
      all: step !== undefined && endsIn(manager, to),
      names: [...(step?.cancels ?? []), ...schedules.map(({ timeout }) => timeout)],
    }),
    ...(refused !== undefined && { refused }),
  };
};

const sentBy = (
  { name, to, command }: Pick<NonNullable<Step["sends"]>[number], "name" | "to" | "command">,
  occasion: Occasion<unknown, DomainEvent, unknown>,
) => {
  const sent = command(occasion);
  return { name, type: to, aggregateId: sent.id, command: { ...sent.command } };
};

/** The newest first. */
const compensations = (
  { undo }: Instance,
  refused: string | undefined,
  first: number,
  idOf: (what: string) => string,
): Data["sends"] =>
  undo
    .filter(({ of }) => of !== refused)
    .toReversed()
    .map(({ of, ...command }, index) => ({ ...command, id: idOf(`${first + index}`), undoes: of }));

const cancelled = (
  { timeouts }: Instance,
  { event }: HandleEvent,
  { all, names }: { readonly all: boolean; readonly names: readonly string[] },
): string[] =>
  Object.entries(timeouts).flatMap(([name, id]) =>
    id !== event.id && (all || names.includes(name)) ? [id] : [],
  );
