/** Reads the payments' read model. */
import { and, desc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
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
    list({ orderId, before, limit }) {
      const conditions = [
        orderId === undefined ? undefined : eq(payments.orderId, orderId),
        before === undefined ? undefined : lt(payments.orderId, before),
      ];
      return db
        .select()
        .from(payments)
        .where(and(...conditions))
        .orderBy(desc(payments.orderId))
        .limit(limit)
        .all();
    },
  };
};
