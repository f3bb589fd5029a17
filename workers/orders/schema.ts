/** The tables of orders' read model. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Money } from "#shared/http/schemas.ts";
import type { OrderLine } from "./contract.ts";

export const orders = sqliteTable(
  "orders",
  {
    /** UUIDv7: its order is the order of placing. */
    orderId: text("order_id").primaryKey(),
    customerId: text("customer_id").notNull(),
    status: text({ enum: ["placed", "confirmed", "rejected", "cancelled"] }).notNull(),
    /** Why it was rejected or cancelled. */
    reason: text(),
    detail: text(),
    lines: text({ mode: "json" }).$type<readonly OrderLine[]>().notNull(),
    total: text({ mode: "json" }).$type<Money>().notNull(),
    /** Null once the customer was forgotten. */
    deliveryAddress: text("delivery_address"),
    placedAt: text("placed_at").notNull(),
    confirmedAt: text("confirmed_at"),
    rejectedAt: text("rejected_at"),
    cancelledAt: text("cancelled_at"),
  },
  (table) => [
    index("orders_by_customer").on(table.customerId, table.orderId),
    index("orders_by_status").on(table.status, table.orderId),
  ],
);

/** How far each projection has read the log; written in the same transaction as its rows. */
export const checkpoints = sqliteTable("checkpoints", {
  name: text().primaryKey(),
  position: integer().notNull(),
});
