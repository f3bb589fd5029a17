/** A process that follows a log in memory, in an Actor in virtual time. */

import type { Process } from "#shared/cqrs/process.ts";
import { type ProcessMethods, processActor } from "#shared/cqrs/process-actor.ts";
import type { SubscriptionOptions } from "#shared/cqrs/subscription-options.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { type TestActorContext, testActorContext } from "./actor-context.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface Subscribed extends ProcessMethods {
  readonly log: EventLog;
  readonly context: TestActorContext;
  readonly time: VirtualTime;
  /** Attempts by the event, in the order of their beginning: `a-1` is the first event of the aggregate "a". */
  readonly calls: string[];
  write(aggregateId: string): Promise<void>;
}

/**
 * Awake, on a log with an event of each of these aggregates, in this order.
 * @param handle told which event, and how many attempts at it there were with this one
 */
export const subscribed = async (
  aggregates: readonly string[],
  handle: (event: string, nth: number, signal: AbortSignal) => ReturnType<Process["handle"]>,
  {
    subscription = {},
    context = testActorContext(),
    log = memoryEventLog(context.time.clock),
  }: { subscription?: SubscriptionOptions; context?: TestActorContext; log?: EventLog } = {},
): Promise<Subscribed> => {
  const { clock } = context.time;
  const write = async (id: string) => {
    const last = await log.last({ type: "order", id });
    const { position = 0, version = 0 } = last ?? {};
    const appended = await log.append({
      aggregate: { type: "order", id },
      expectedPosition: position,
      expectedVersion: version,
      commandId: `${id}-${version + 1}`,
      at: clock(),
      events: [{ type: "Happened", data: {} }],
      trace: {},
    });
    if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
  };
  for (const id of aggregates) await write(id);
  const calls: string[] = [];
  const { methods, alarm } = processActor({
    context,
    process: {
      name: "ship",
      source: "orders",
      handles: ["Happened"],
      subscription,
      handle({ id }, _, signal) {
        const event = id.replace("/0", "");
        calls.push(event);
        return handle(event, calls.filter((call) => call === event).length, signal);
      },
    },
    log,
    clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(alarm);
  await methods.wake({});
  return { ...methods, log, context, time: context.time, calls, write };
};
