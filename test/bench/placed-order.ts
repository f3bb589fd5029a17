/** A commit as the orders service makes it: the log is measured with what it really takes. */
import type { Append } from "#shared/events/event-log.ts";
import type { OrderEvent } from "#workers/orders/contract.ts";

const AT = Date.UTC(2026, 0, 1);

export const placedOrder = (orderId: string): Append => {
  const event: OrderEvent = {
    type: "OrderPlaced",
    data: {
      orderId,
      customerId: "bench",
      lines: [{ sku: "MUG", quantity: 2, price: { amount: 1250, currency: "EUR" } }],
      total: { amount: 2500, currency: "EUR" },
      placedAt: new Date(AT).toISOString(),
    },
  };
  return commit(orderId, 0, event);
};

/** The second commit of the same order; `position` is the first one's. */
export const confirmedOrder = (orderId: string, position: number): Append => ({
  ...commit(`${orderId}`, 1, { type: "OrderConfirmed", data: { orderId } }),
  expectedPosition: position,
});

const commit = (id: string, version: number, event: OrderEvent): Append => ({
  aggregate: { type: "order", id },
  expectedPosition: 0,
  expectedVersion: version,
  commandId: version === 0 ? id : `${id}-${version}`,
  at: AT,
  events: [event],
  trace: {},
});
