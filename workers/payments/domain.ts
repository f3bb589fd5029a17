/** A payment is authorised or declined once; a void ends it for good, also before either. */
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import type { Failure } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";
import { err, ok } from "#shared/result.ts";
import type { PaymentEvent } from "./contract.ts";

export type PaymentCommand =
  | {
      readonly type: "RecordAuthorisation";
      readonly orderId: string;
      readonly amount: Money;
      readonly authorisationId: string;
    }
  | {
      readonly type: "RecordDecline";
      readonly orderId: string;
      readonly amount: Money;
      readonly detail: string;
    }
  | { readonly type: "VoidPayment"; readonly orderId: string };

export type PaymentState =
  | { readonly status: "open" }
  | { readonly status: "authorised"; readonly authorisationId: string }
  | { readonly status: "declined" }
  | { readonly status: "voided" };

const decided = (orderId: string, status: string): { ok: false; error: Failure } =>
  err({
    code: "payment_decided",
    detail: `The payment of order "${orderId}" is already ${status}; it is decided only once.`,
  });

export const payment: Aggregate<PaymentState, PaymentCommand, PaymentEvent> = {
  type: "payment",

  initialState: () => ({ status: "open" }),

  evolve(state, { type, data }) {
    switch (type) {
      case "PaymentAuthorised":
        return { status: "authorised", authorisationId: data.authorisationId };
      case "PaymentDeclined":
        return { status: "declined" };
      case "PaymentVoided":
        return { status: "voided" };
      default:
        return state;
    }
  },

  decide(command, { status }) {
    const { orderId } = command;
    switch (command.type) {
      case "RecordAuthorisation": {
        const { amount, authorisationId } = command;
        if (status === "authorised") return ok([]);
        if (status !== "open") return decided(orderId, status);
        return ok([{ type: "PaymentAuthorised", data: { orderId, amount, authorisationId } }]);
      }
      case "RecordDecline": {
        const { amount, detail } = command;
        if (status === "declined") return ok([]);
        if (status !== "open") return decided(orderId, status);
        return ok([{ type: "PaymentDeclined", data: { orderId, amount, detail } }]);
      }
      case "VoidPayment":
        if (status === "declined" || status === "voided") return ok([]);
        return ok([{ type: "PaymentVoided", data: { orderId } }]);
    }
  },
};
