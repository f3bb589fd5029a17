/** The tables of payments' read model. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const payments = sqliteTable("payments", {
  orderId: text("order_id").primaryKey(),
  status: text({ enum: ["authorised", "declined", "voided"] }).notNull(),
  /** Minor units; null with `currency` when the payment was voided before anything was asked of the provider. */
  amount: integer(),
  currency: text(),
  authorisationId: text("authorisation_id"),
  detail: text(),
  /** RFC 3339 UTC, as the events say. */
  authorisedAt: text("authorised_at"),
  declinedAt: text("declined_at"),
  voidedAt: text("voided_at"),
});

/** How far each projection has read the log; written in the same transaction as its rows. */
export const checkpoints = sqliteTable("checkpoints", {
  name: text().primaryKey(),
  position: integer().notNull(),
});
