/** The read model of orders: one row an order, as it stands now. */
import type { Projection } from "#shared/cqrs/projection.ts";
import type { Row } from "#shared/cqrs/row-change.ts";
import { forgottenBy } from "#shared/erasure/subject.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { OrderEvent } from "../contract.ts";

const table = "orders";
const key = ["order_id"];

/** What changes after placing; null keeps what stands. */
const NOTHING = { reason: null, detail: null, confirmed_at: null, rejected_at: null, cancelled_at: null };

const changeOf = ({ type, data, time }: RecordedEvent<OrderEvent>): Row | undefined => {
  switch (type) {
    case "OrderConfirmed":
      return { status: "confirmed", confirmed_at: time };
    case "OrderRejected":
      return { status: "rejected", reason: data.reason, detail: data.detail, rejected_at: time };
    case "OrderCancelled":
      return { status: "cancelled", reason: data.reason, cancelled_at: time };
    default:
      return undefined;
  }
};

export const ordersProjection: Projection = {
  name: "orders",
  tables: [table],
  changes(commits) {
    const placed = new Map<string, Row>();
    const changed = new Map<string, Row>();
    const forgotten = new Set<string>();
    for (const recorded of commits.flatMap(({ events }) => events)) {
      const customer = forgottenBy(recorded);
      if (customer !== undefined) {
        forgotten.add(customer);
        continue;
      }
      const event = recorded as RecordedEvent<OrderEvent>;
      const { orderId } = event.data;
      if (event.type === "OrderPlaced") {
        const { customerId, lines, total, deliveryAddress = null, placedAt } = event.data;
        const row = { order_id: orderId, customer_id: customerId, status: "placed", lines, total };
        placed.set(orderId, { ...row, delivery_address: deliveryAddress, placed_at: placedAt });
      }
      const change = changeOf(event);
      if (change) changed.set(orderId, { order_id: orderId, ...NOTHING, ...changed.get(orderId), ...change });
    }
    return [
      { change: "insert", table, key, rows: [...placed.values()] },
      { change: "update", table, key, rows: [...changed.values()] },
      {
        change: "set",
        table,
        key: ["customer_id"],
        rows: [...forgotten].map((customer) => ({ customer_id: customer, delivery_address: null })),
      },
    ];
  },
};
