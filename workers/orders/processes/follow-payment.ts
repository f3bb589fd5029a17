/** What payments says of an order's payment confirms or rejects it. */
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { PaymentEvent } from "../../payments/contract.ts";
import { orderReaction } from "./order-reaction.ts";

type Reaction = Extract<PaymentEvent, { type: "PaymentAuthorised" | "PaymentDeclined" }>;

export const followPayment = (commands: Commands): Process =>
  orderReaction<Reaction>(
    {
      name: "follow-payment",
      source: "payments",
      handles: ["PaymentAuthorised", "PaymentDeclined"],
      commandFor: ({ type, data }) =>
        type === "PaymentAuthorised"
          ? { type: "ConfirmOrder", orderId: data.orderId }
          : { type: "RejectOrder", orderId: data.orderId, reason: "payment_declined", detail: data.detail },
    },
    commands,
  );
