/** What became of messages, as a metric. */
import { metrics } from "@opentelemetry/api";

/** Handled well; refused, because of its data or by its handler; not taken, because too many were waiting; begun too late. */
export type MessageOutcome = "handled" | "refused" | "dropped" | "expired";

export const countMessage = (address: string, outcome: MessageOutcome): void => {
  // Made anew each time: one that was made before the SDK started would never record.
  metrics
    .getMeter("skerry")
    .createCounter("skerry.messages.received", {
      unit: "{message}",
      description: "Messages by what became of them at who receives them",
    })
    .add(1, { "messaging.destination.name": address, "skerry.message.outcome": outcome });
};
