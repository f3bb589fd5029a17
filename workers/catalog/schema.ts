/** The tables of the catalog. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const products = sqliteTable("products", {
  sku: text().primaryKey(),
  name: text().notNull(),
  /** Minor units of the currency. */
  priceAmount: integer("price_amount").notNull(),
  /** ISO 4217. */
  priceCurrency: text("price_currency").notNull(),
  /** 1 when created, one more with each change: what conditional writes compare. */
  revision: integer().notNull(),
  /** RFC 3339 UTC. */
  createdAt: text("created_at").notNull(),
  updatedAt: text("updated_at").notNull(),
});
