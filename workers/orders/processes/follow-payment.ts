/** What payments says of an order's payment confirms or rejects it. */
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { PaymentEvent } from "../../payments/contract.ts";
import { type OrderCommand, order } from "../domain.ts";

type Reaction = Extract<PaymentEvent, { type: "PaymentAuthorised" | "PaymentDeclined" }>;

const commandFor = ({ type, data }: Reaction): OrderCommand =>
  type === "PaymentAuthorised"
    ? { type: "ConfirmOrder", orderId: data.orderId }
    : { type: "RejectOrder", orderId: data.orderId, reason: "payment_declined", detail: data.detail };

export const followPayment = (commands: Commands): Process => ({
  name: "follow-payment",
  source: "payments",
  handles: ["PaymentAuthorised", "PaymentDeclined"] satisfies Reaction["type"][],
  handle(event) {
    const reaction = event as RecordedEvent<Reaction>;
    return commands.execute({
      type: order.type,
      id: reaction.data.orderId,
      command: commandFor(reaction),
      commandId: reaction.id,
    });
  },
});
