/** Rejects an order whose payment nobody has answered in time; its stock and payment are then given back as for any other. */
import { processManager } from "#shared/cqrs/process-manager.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { ORDERS, type OrderEvent } from "../contract.ts";
import { type OrderCommand, order } from "../domain.ts";

export interface PaymentTimeoutSettings {
  /** From the moment in which the order may be paid. */
  readonly paymentTimeoutMs: number;
}

const rejectOrder = (orderId: string): OrderCommand => ({
  type: "RejectOrder",
  orderId,
  reason: "payment_timeout",
  detail: "The payment was not answered in time.",
});

export const paymentTimeout = processManager<null, DomainEvent, OrderEvent, PaymentTimeoutSettings>({
  name: "payment-timeout",
  service: ORDERS.service,
  purpose: "An order whose payment is not answered in time is rejected, which releases its stock.",
  instanceOf: ({ data }) => ("orderId" in data ? data.orderId : undefined),
  initialState: () => null,
  evolve: (state) => state,
  steps: [
    {
      in: ["start"],
      on: ["orders.OrderStockReserved"],
      to: "unpaid",
      schedules: [{ timeout: "payment", afterMs: ({ settings }) => settings.paymentTimeoutMs }],
    },
    {
      in: ["start", "unpaid"],
      on: ["orders.OrderConfirmed", "orders.OrderRejected", "orders.OrderCancelled"],
      to: "settled",
    },
    {
      in: ["unpaid"],
      on: [{ timeout: "payment" }],
      to: "timed out",
      sends: [
        {
          name: "RejectOrder",
          to: order.type,
          command: ({ instance }) => ({ id: instance, command: rejectOrder(instance) }),
        },
      ],
    },
  ],
});
