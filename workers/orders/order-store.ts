/** Reads the orders' read model. */
import { and, desc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { filter } from "#shared/cqrs/query-filter.ts";
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
    list: ({ customerId, status, before, limit }) =>
      db
        .select()
        .from(orders)
        .where(
          and(
            filter(eq, orders.customerId, customerId),
            filter(eq, orders.status, status),
            filter(lt, orders.orderId, before),
          ),
        )
        .orderBy(desc(orders.orderId))
        .limit(limit)
        .all(),
  };
};
