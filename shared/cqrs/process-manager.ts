/** A process manager: a process with a state of its own, as data. What it does, and its picture, both come of its steps. */
import type { AggregateRef, DomainEvent } from "../events/event.ts";
import type { TimedOut } from "./timeouts.ts";

/** Where every instance begins. A state that no step leads out of ends it. */
export const START = "start";

export type Trigger =
  /** An event as CloudEvents name it: `orders.OrderPlaced`. */
  | string
  /** A timeout of this name is due. */
  | { readonly timeout: string }
  /** The command of this name was refused, for good: not because something was `unavailable`, or others came first. */
  | { readonly refused: string };

/** What happened when an own command was refused. */
export interface CommandRefused extends DomainEvent {
  readonly type: "CommandRefused";
  readonly data: {
    readonly command: string;
    readonly commandId: string;
    readonly code: string;
    readonly detail: string;
  };
}

export interface Occasion<State, Source extends DomainEvent, Settings> {
  readonly instance: string;
  /** Before the event. */
  readonly state: State;
  readonly event: Source | TimedOut | CommandRefused;
  /** As the configuration is while the event is handled. */
  readonly settings: Settings;
}

export interface SentCommand {
  /** The aggregate's id. */
  readonly id: string;
  readonly command: object;
}

export interface Send<State, Source extends DomainEvent, Settings> {
  /** One name for one command of the process. */
  readonly name: string;
  /** Type of the aggregate, of the own service. */
  readonly to: string;
  command(occasion: Occasion<State, Source, Settings>): SentCommand;
  /** What takes it back, should the process fail later; decided, and written, when it is sent. */
  readonly undo?: Omit<Send<State, Source, Settings>, "undo">;
}

/** A timeout that a step starts; one of the same name that runs is replaced. */
export type Schedule<State, Source extends DomainEvent, Settings> = { readonly timeout: string } & (
  | {
      /** Milliseconds from the moment in which the event is handled: who comes back after an outage finds nothing due. */
      afterMs(occasion: Occasion<State, Source, Settings>): number;
    }
  | {
      /** Epoch milliseconds; what is past is due at once. */
      at(occasion: Occasion<State, Source, Settings>): number;
    }
);

export interface ProcessStep<State, Own extends DomainEvent, Source extends DomainEvent, Settings> {
  /** The states in which it can be taken. */
  readonly in: readonly string[];
  /** Any of them. An event for which no step can be taken changes nothing. */
  readonly on: readonly Trigger[];
  /** The first step whose condition holds is taken; `says` is for the picture. */
  readonly when?: {
    readonly says: string;
    holds(occasion: Occasion<State, Source, Settings>): boolean;
  };
  readonly to: string;
  /** Own events: the state comes from them. */
  records?(occasion: Occasion<State, Source, Settings>): readonly Own[];
  /** In this order, after the commit. */
  readonly sends?: readonly Send<State, Source, Settings>[];
  readonly schedules?: readonly Schedule<State, Source, Settings>[];
  /** Timeouts by name. One that fires is over; those that run when the process ends are cancelled. */
  readonly cancels?: readonly string[];
  /** Also sends, the newest first, what takes back the commands of all steps so far that were not refused. */
  readonly compensates?: true;
}

/** All functions are pure: they may be asked more than once. */
export interface ProcessManager<State, Own extends DomainEvent, Source extends DomainEvent, Settings> {
  /** Names its subscriptions and its aggregate; at most {@link NAME_CHARACTERS}. */
  readonly name: string;
  /** The service that it belongs to. */
  readonly service: string;
  /** One sentence for whoever reads its picture. */
  readonly purpose: string;
  /** Whom an event is about; undefined for one that passes by. */
  instanceOf(event: Source): string | undefined;
  initialState(): State;
  evolve(state: State, event: Own): State;
  readonly steps: readonly ProcessStep<State, Own, Source, Settings>[];
}

/** Any of them; methods take what their own events and settings are. */
export type AnyProcessManager = ProcessManager<unknown, DomainEvent, DomainEvent, unknown>;

/** The aggregate's type is `process-<name>`, and a subscription's name ends with a service's. */
const NAME_CHARACTERS = 32;
const NAME = new RegExp(`^[a-z][a-z0-9-]{0,${NAME_CHARACTERS - 1}}$`);

/** The type of the aggregate in whose history its instances stand. */
export const aggregateTypeOf = ({ name }: Pick<AnyProcessManager, "name">): string => `process-${name}`;

export const instanceRef = (manager: Pick<AnyProcessManager, "name">, id: string): AggregateRef => ({
  type: aggregateTypeOf(manager),
  id,
});

/** `orders.OrderPlaced`, `timeout payment`, `refused ReserveStock`. */
export const triggerText = (trigger: Trigger): string => {
  if (typeof trigger === "string") return trigger;
  return "timeout" in trigger ? `timeout ${trigger.timeout}` : `refused ${trigger.refused}`;
};

const triggersOf = ({ steps }: Pick<AnyProcessManager, "steps">): Trigger[] => steps.flatMap(({ on }) => on);

/** Event types by the service in whose log they stand. */
export const followedBy = (manager: Pick<AnyProcessManager, "steps">): Map<string, string[]> => {
  const followed = new Map<string, string[]>();
  for (const trigger of new Set(triggersOf(manager))) {
    if (typeof trigger !== "string") continue;
    const [service = "", type = ""] = trigger.split(".");
    followed.set(service, [...(followed.get(service) ?? []), type]);
  }
  return followed;
};

/** Names of the commands whose refusal is an outcome that some step is for. */
export const refusableBy = (manager: Pick<AnyProcessManager, "steps">): ReadonlySet<string> =>
  new Set(
    triggersOf(manager).flatMap((trigger) =>
      typeof trigger === "object" && "refused" in trigger ? [trigger.refused] : [],
    ),
  );

/** Whether no step leads out of the state. */
export const endsIn = ({ steps }: Pick<AnyProcessManager, "steps">, state: string): boolean =>
  steps.every((step) => !step.in.includes(state));

/** The definition itself. @throws Error for one that could never work */
export const processManager = <State, Own extends DomainEvent, Source extends DomainEvent, Settings>(
  manager: ProcessManager<State, Own, Source, Settings>,
): ProcessManager<State, Own, Source, Settings> => {
  const fault = faultOf(manager as unknown as AnyProcessManager);
  if (fault === undefined) return manager;
  throw new Error(`Cannot define the process "${manager.name}": ${fault}`);
};

const faultOf = ({ name, steps }: AnyProcessManager): string | undefined => {
  if (!NAME.test(name))
    return `its name is not one of at most ${NAME_CHARACTERS} lower case letters, digits and "-"`;
  const reached = new Set([START, ...steps.map(({ to }) => to)]);
  const scheduled = steps.flatMap(({ schedules = [] }) => schedules.map(({ timeout }) => timeout));
  const sends = steps.flatMap((step) => step.sends ?? []);
  const sent = sends.map((send) => send.name);
  for (const step of steps) {
    const lost = step.in.find((state) => !reached.has(state));
    if (lost !== undefined) return `no step leads to the state "${lost}"`;
    for (const cancelled of step.cancels ?? [])
      if (!scheduled.includes(cancelled)) return `nothing schedules the timeout "${cancelled}"`;
  }
  for (const trigger of triggersOf({ steps })) {
    if (typeof trigger === "string") {
      if (!/^[\w-]+\.\w+$/.test(trigger)) return `"${trigger}" is no event, expected "<service>.<Type>"`;
    } else if ("timeout" in trigger) {
      if (!scheduled.includes(trigger.timeout)) return `nothing schedules the timeout "${trigger.timeout}"`;
    } else if (!sent.includes(trigger.refused)) return `nothing sends "${trigger.refused}"`;
  }
  if (steps.some(({ compensates }) => compensates) && sends.every(({ undo }) => !undo))
    return "it compensates, but no command says what takes it back";
  return undefined;
};
