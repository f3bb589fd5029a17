/** Reads the payments' read model. */
import { and, desc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { filter } from "#shared/cqrs/query-filter.ts";
import { payments } from "./schema.ts";

export type PaymentRow = typeof payments.$inferSelect;

export interface PaymentQuery {
  readonly orderId: string | undefined;
  /** Payments of orders older than this one. */
  readonly before: string | undefined;
  readonly limit: number;
}

export interface PaymentStore {
  /** Those of the newest orders first. */
  list(query: PaymentQuery): Promise<PaymentRow[]>;
}

export const d1PaymentStore = (database: D1Database): PaymentStore => {
  const db = drizzle(database);
  return {
    list: ({ orderId, before, limit }) =>
      db
        .select()
        .from(payments)
        .where(and(filter(eq, payments.orderId, orderId), filter(lt, payments.orderId, before)))
        .orderBy(desc(payments.orderId))
        .limit(limit)
        .all(),
  };
};
