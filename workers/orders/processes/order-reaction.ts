/** A process that answers another service's events with one command each to the order that they are about. */
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { causedBy } from "#shared/events/commit-metadata.ts";
import type { DomainEvent, RecordedEvent } from "#shared/events/event.ts";
import { type OrderCommand, order } from "../domain.ts";

interface AboutAnOrder extends DomainEvent {
  readonly data: { readonly orderId: string };
}

export const orderReaction = <Event extends AboutAnOrder>(
  reaction: Pick<Process, "name" | "source"> & {
    readonly handles: readonly Event["type"][];
    commandFor(event: Event): OrderCommand;
  },
  commands: Commands,
): Process => ({
  name: reaction.name,
  source: reaction.source,
  handles: reaction.handles,
  handle(recorded, commit) {
    const event = recorded as RecordedEvent<Event>;
    return commands.execute({
      type: order.type,
      id: event.data.orderId,
      command: reaction.commandFor(event),
      commandId: event.id,
      metadata: causedBy(event, commit),
    });
  },
});
