/** Reads the orders' read model. */
import { and, desc, eq, lt, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { orders } from "./schema.ts";

export type OrderRow = typeof orders.$inferSelect;
export type OrderStatus = OrderRow["status"];

export interface OrderQuery {
  readonly customerId: string | undefined;
  readonly status: OrderStatus | undefined;
  /** Orders older than this one. */
  readonly before: string | undefined;
  readonly limit: number;
}

export interface OrderStore {
  find(orderId: string): Promise<OrderRow | undefined>;
  /** Newest first. */
  list(query: OrderQuery): Promise<OrderRow[]>;
}

export const d1OrderStore = (database: D1Database): OrderStore => {
  const db = drizzle(database);
  return {
    find: (orderId) => db.select().from(orders).where(eq(orders.orderId, orderId)).get(),
    list({ customerId, status, before, limit }) {
      const conditions: (SQL | undefined)[] = [
        customerId === undefined ? undefined : eq(orders.customerId, customerId),
        status === undefined ? undefined : eq(orders.status, status),
        before === undefined ? undefined : lt(orders.orderId, before),
      ];
      return db
        .select()
        .from(orders)
        .where(and(...conditions))
        .orderBy(desc(orders.orderId))
        .limit(limit)
        .all();
    },
  };
};
