/** The read model of orders: one row an order, as it stands now. */
import type { Projection } from "#shared/cqrs/projection.ts";
import type { Row } from "#shared/cqrs/row-change.ts";
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
    for (const event of commits.flatMap(({ events }) => events) as readonly RecordedEvent<OrderEvent>[]) {
      const { orderId } = event.data;
      if (event.type === "OrderPlaced") {
        const { customerId, lines, total, placedAt } = event.data;
        const row = { order_id: orderId, customer_id: customerId, status: "placed", lines, total };
        placed.set(orderId, { ...row, placed_at: placedAt });
      }
      const change = changeOf(event);
      if (change) changed.set(orderId, { order_id: orderId, ...NOTHING, ...changed.get(orderId), ...change });
    }
    return [
      { change: "insert", table, key, rows: [...placed.values()] },
      { change: "update", table, key, rows: [...changed.values()] },
    ];
  },
};
