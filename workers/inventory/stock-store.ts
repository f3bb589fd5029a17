/** Reads the stock's read model. */
import { asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { stockLevels } from "./schema.ts";

export type StockRow = typeof stockLevels.$inferSelect;

export interface StockStore {
  find(sku: string): Promise<StockRow | undefined>;
  /** By sku, those after `after`. */
  list(page: { readonly after: string; readonly limit: number }): Promise<StockRow[]>;
}

export const d1StockStore = (database: D1Database): StockStore => {
  const db = drizzle(database);
  return {
    find: (sku) => db.select().from(stockLevels).where(eq(stockLevels.sku, sku)).get(),
    list: ({ after, limit }) =>
      db
        .select()
        .from(stockLevels)
        .where(gt(stockLevels.sku, after))
        .orderBy(asc(stockLevels.sku))
        .limit(limit)
        .all(),
  };
};
