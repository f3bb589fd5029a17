/**
 * What a process manager consists of at run time: subscriptions that bring events to its instances, one that sends what they
 * decided, and one to its timeouts. The log is the outbox: what was not sent is what the subscription has not done.
 */
import { type CommitMetadata, causedBy } from "../events/commit-metadata.ts";
import type { Commit, RecordedEvent } from "../events/event.ts";
import { withoutTenant } from "../events/tenant-id.ts";
import type { Failure } from "../http/errors.ts";
import { ok, type Result } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Aggregates } from "./command-actor.ts";
import type { Commands } from "./commands.ts";
import type { Process } from "./process.ts";
import {
  type AnyProcessManager,
  aggregateTypeOf,
  followedBy,
  instanceRef,
  refusableBy,
  type Trigger,
} from "./process-manager.ts";
import { type HandleEvent, processAggregate } from "./process-manager-aggregate.ts";
import type { ProcessReacted } from "./process-manager-events.ts";
import { reachingActor } from "./reaching-actor.ts";
import { stateOf } from "./state-of.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";
import type { TimedOut } from "./timeouts.ts";
import type { TimeoutsMethods, TimeoutsProcess } from "./timeouts-actor.ts";

export interface ProcessManagerParts {
  readonly commands: Pick<Commands, "execute" | "state" | "history">;
  /** By the name of a process. */
  readonly timeouts: Actors<Pick<TimeoutsMethods, "plan">>;
  /** Asked for each event. */
  readonly settings?: () => unknown;
  readonly clock: Clock;
}

type Outcome = Result<unknown, Failure>;
type Reaction = ProcessReacted["data"];
type Sent = Reaction["sends"][number];

/** The aggregates of a service's process managers, by their type. */
export const processAggregates = (...managers: readonly AnyProcessManager[]): Aggregates =>
  Object.fromEntries(
    managers.map((manager) => [aggregateTypeOf(manager), processAggregate(manager) as Aggregates[string]]),
  );

/** One subscription to each log that it follows, the own one always, and one to its timeouts. */
export const managedProcesses = (manager: AnyProcessManager, parts: ProcessManagerParts): Process[] => {
  const { name, service } = manager;
  const followed = followedBy(manager);
  const handle = handling(manager, parts);
  const dispatch = dispatching(manager, parts, handle);
  const own = followed.get(service) ?? [];
  const others = [...followed].filter(([source]) => source !== service);

  return [
    {
      name,
      source: service,
      handles: [...own, "ProcessReacted"],
      subscription: subscriptionOf(manager),
      async handle(event, commit, signal) {
        if (event.type !== "ProcessReacted") return handle.event(service, event, commit);
        return commit.aggregate.type === aggregateTypeOf(manager)
          ? dispatch(event, commit, signal)
          : ok(undefined);
      },
    },
    ...others.map(([source, handles]) => ({
      name: `${name}-${source}`,
      source,
      handles,
      subscription: subscriptionOf(manager),
      handle: (event: RecordedEvent, commit: Commit) => handle.event(source, event, commit),
    })),
    timeoutsProcess(manager, handle),
  ];
};

export const timeoutsName = ({ name }: Pick<AnyProcessManager, "name">): string => `${name}-timeouts`;

/** Events of one instance in order; behind a parked one the others wait, because what they decide depends on it. */
const subscriptionOf = (manager: AnyProcessManager): SubscriptionOptions => ({
  whenParked: "wait",
  keyOf: (event, { aggregate }) =>
    aggregate.type === aggregateTypeOf(manager) ? aggregate.id : (manager.instanceOf(event) ?? aggregate.id),
});

type Handling = ReturnType<typeof handling>;

const handling = (manager: AnyProcessManager, { commands, settings, clock }: ProcessManagerParts) => {
  const instance = async (
    id: string,
    trigger: Trigger,
    event: HandleEvent["event"],
    metadata: CommitMetadata,
  ): Promise<Outcome> => {
    const command: HandleEvent = {
      type: "HandleEvent",
      instance: withoutTenant(id),
      tenant: metadata.tenant,
      trigger,
      event,
      at: clock(),
      settings: settings?.(),
    };
    return commands.execute({ ...instanceRef(manager, id), command, commandId: event.id, metadata });
  };
  return {
    instance,
    async event(source: string, event: RecordedEvent, commit: Commit): Promise<Outcome> {
      const id = manager.instanceOf(event);
      return id === undefined
        ? ok(undefined)
        : instance(id, `${source}.${event.type}`, event, causedBy(event, commit));
    },
  };
};

const timeoutsProcess = (manager: AnyProcessManager, { instance }: Handling): TimeoutsProcess => ({
  name: timeoutsName(manager),
  source: timeoutsName(manager),
  handles: ["TimedOut"],
  timeoutsOf: aggregateTypeOf(manager),
  subscription: { whenParked: "wait" },
  handle(recorded, commit) {
    const event = recorded as RecordedEvent<TimedOut>;
    return instance(event.data.instance, { timeout: event.data.timeout }, event, causedBy(event, commit));
  },
});

/** Makes happen what one commit of an instance says, all of it or again: whoever is told twice knows it by the id. */
const dispatching = (
  manager: AnyProcessManager,
  { commands, timeouts }: ProcessManagerParts,
  { instance }: Handling,
) => {
  const aggregate = processAggregate(manager);
  const refusable = refusableBy(manager);

  const plan = async ({ schedules, cancels }: Reaction, { aggregate: { id }, trace, metadata }: Commit) => {
    if (schedules.length === 0 && cancels.length === 0) return ok(undefined);
    const start = schedules.map(({ at, ...schedule }) => ({
      ...schedule,
      instance: id,
      dueAt: Date.parse(at),
    }));
    return reachingActor(() =>
      timeouts.named(timeoutsName(manager)).plan({ start, cancel: cancels, trace, metadata }),
    );
  };

  /** Those that were refused, and what takes such a one back: neither is sent. */
  const settled = async (
    id: string,
    sends: readonly Sent[],
  ): Promise<Result<ReadonlySet<string>, Failure>> => {
    const concerned = sends.some((sent) => refusable.has(sent.name) || sent.undoes !== undefined);
    if (refusable.size === 0 || !concerned) return ok(new Set());
    const state = await stateOf(commands, aggregate, id);
    return state.ok ? ok(new Set(state.value.refused)) : state;
  };

  const send = async (
    sent: Sent,
    { aggregate: { id } }: Commit,
    metadata: CommitMetadata,
  ): Promise<Outcome> => {
    const { type, aggregateId, command } = sent;
    const executed = await commands.execute({ type, id: aggregateId, command, commandId: sent.id, metadata });
    if (executed.ok || sent.undoes !== undefined || !refusable.has(sent.name)) return executed;
    const { code, detail } = executed.error;
    if (AGAIN.has(code)) return executed;
    const data = { command: sent.name, commandId: sent.id, code, detail };
    const refused = { type: "CommandRefused", data, id: `${sent.id}.refused` };
    return instance(id, { refused: sent.name }, refused, metadata);
  };

  return async (event: RecordedEvent, commit: Commit, signal: AbortSignal): Promise<Outcome> => {
    const reaction = event.data as Reaction;
    // Before what may be refused for long: a timeout is there for that, too.
    const planned = await plan(reaction, commit);
    if (!planned.ok) return planned;
    const done = await settled(commit.aggregate.id, reaction.sends);
    if (!done.ok) return done;
    for (const sent of reaction.sends) {
      if (done.value.has(sent.id) || (sent.undoes !== undefined && done.value.has(sent.undoes))) continue;
      signal.throwIfAborted();
      const outcome = await send(sent, commit, causedBy(event, commit));
      if (!outcome.ok) return outcome;
    }
    return ok(undefined);
  };
};

/** Refusals that say nothing about the command. */
const AGAIN: ReadonlySet<string> = new Set(["unavailable", "conflict"]);
