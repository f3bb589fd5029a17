/** The tables of inventory's read model. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const stockLevels = sqliteTable("stock_levels", {
  sku: text().primaryKey(),
  /** Pieces in the house, reserved ones included. */
  onHand: integer("on_hand").notNull(),
  /** Pieces that orders hold. */
  reserved: integer().notNull(),
});

/** How far each projection has read the log; written in the same transaction as its rows. */
export const checkpoints = sqliteTable("checkpoints", {
  name: text().primaryKey(),
  position: integer().notNull(),
});
