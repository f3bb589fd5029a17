/** The read model of orders: one row an order, as it stands now. */
import { type SQL, sql } from "drizzle-orm";
import type { Projection } from "#shared/cqrs/projection.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import { jsonRows } from "#shared/storage/json-rows.ts";
import type { OrderEvent } from "../contract.ts";

interface PlacedRow {
  orderId: string;
  customerId: string;
  lines: string;
  total: string;
  placedAt: string;
}

/** What changes after placing; null keeps what stands. */
interface Change {
  orderId: string;
  status: "confirmed" | "rejected" | "cancelled";
  reason: string | null;
  detail: string | null;
  confirmedAt: string | null;
  rejectedAt: string | null;
  cancelledAt: string | null;
}

const insertPlaced = (rows: string): SQL => sql`
  INSERT INTO orders (order_id, customer_id, status, lines, total, placed_at)
  SELECT value ->> 'orderId', value ->> 'customerId', 'placed', value ->> 'lines', value ->> 'total', value ->> 'placedAt'
  FROM json_each(${rows}) WHERE true
  ON CONFLICT (order_id) DO NOTHING`;

const updateChanged = (changes: string): SQL => sql`
  UPDATE orders SET
    status = change.value ->> 'status',
    reason = coalesce(change.value ->> 'reason', reason),
    detail = coalesce(change.value ->> 'detail', detail),
    confirmed_at = coalesce(change.value ->> 'confirmedAt', confirmed_at),
    rejected_at = coalesce(change.value ->> 'rejectedAt', rejected_at),
    cancelled_at = coalesce(change.value ->> 'cancelledAt', cancelled_at)
  FROM json_each(${changes}) AS change
  WHERE orders.order_id = change.value ->> 'orderId'`;

const changeOf = (event: RecordedEvent<OrderEvent>, earlier: Change | undefined): Change | undefined => {
  const { orderId } = event.data;
  const none = { reason: null, detail: null, confirmedAt: null, rejectedAt: null, cancelledAt: null };
  const change = { ...none, ...earlier, orderId };
  switch (event.type) {
    case "OrderConfirmed":
      return { ...change, status: "confirmed", confirmedAt: event.time };
    case "OrderRejected": {
      const { reason, detail } = event.data;
      return { ...change, status: "rejected", reason, detail, rejectedAt: event.time };
    }
    case "OrderCancelled":
      return { ...change, status: "cancelled", reason: event.data.reason, cancelledAt: event.time };
    default:
      return earlier;
  }
};

export const ordersProjection: Projection = {
  name: "orders",
  statements(commits) {
    const placed: PlacedRow[] = [];
    const changes = new Map<string, Change>();
    for (const { events } of commits) {
      for (const event of events as readonly RecordedEvent<OrderEvent>[]) {
        if (event.type === "OrderPlaced") {
          const { orderId, customerId, lines, total, placedAt } = event.data;
          placed.push({
            orderId,
            customerId,
            lines: JSON.stringify(lines),
            total: JSON.stringify(total),
            placedAt,
          });
        }
        const change = changeOf(event, changes.get(event.data.orderId));
        if (change) changes.set(change.orderId, change);
      }
    }
    return [...jsonRows(placed).map(insertPlaced), ...jsonRows(changes.values()).map(updateChanged)];
  },
};
