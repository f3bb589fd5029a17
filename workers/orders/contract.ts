/** What other services may see of orders: its events, its problem types, its configuration, its version. */
import * as z from "zod";
import { PROCESS_EVENTS } from "#shared/cqrs/process-manager-events.ts";
import { personal } from "#shared/erasure/personal.ts";
import { SUBJECT_EVENTS } from "#shared/erasure/subject.ts";
import { idField, moneyField, quantityField, timeField } from "#shared/events/event-fields.ts";
import { type EventOf, type EventTypes, event } from "#shared/events/event-types.ts";
import type { ProblemTable } from "#shared/http/errors.ts";
import { LIMITS } from "#shared/limits.ts";

export const ORDERS = { service: "orders", major: 1, version: "1.0.0" } as const;

export const ORDERS_CONFIG = z.strictObject({
  cancellationMinutes: z
    .int()
    .min(0)
    .max(7 * 24 * 60)
    .default(30)
    .meta({
      description:
        "How long after its placing a confirmed order may be cancelled; then it counts as handed over",
    }),
  paymentTimeoutMs: z
    .int()
    .min(1_000)
    .max(7 * 24 * 60 * 60 * 1000)
    .default(15 * 60 * 1000)
    .meta({
      description:
        "How long the payment of an order whose stock is held may stay unanswered before the order is rejected; in force for orders whose stock is held from then on",
    }),
  quoteMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(LIMITS.quoteMs)
    .meta({ description: "How old a price from the catalog may be" }),
});

/** Feature flag, by customer: off refuses new orders with `orders_paused`. On when it is not defined. */
export const ACCEPT_ORDERS_FLAG = "accept-orders";

const orderLine = z.strictObject({
  sku: idField,
  quantity: quantityField,
  /** Of one piece, when the order was placed. */
  price: moneyField,
});

/** Aggregate `order`, id: orderId. */
const ORDER_EVENTS = {
  OrderPlaced: event({
    orderId: idField,
    customerId: idField,
    lines: z.array(orderLine).min(1),
    total: moneyField,
    placedAt: timeField,
  }).next(
    (v1) => ({ ...v1, deliveryAddress: personal(z.string(), { subject: "customerId" }).optional() }),
    (v1) => v1,
  ),
  /** The stock is held: the order may be paid. */
  OrderStockReserved: event({ orderId: idField, customerId: idField, total: moneyField }),
  OrderConfirmed: event({ orderId: idField }),
  OrderRejected: event({
    orderId: idField,
    reason: z.enum(["out_of_stock", "payment_declined"]),
    detail: z.string(),
  }).next(
    (v1) => ({ ...v1, reason: z.enum(["out_of_stock", "payment_declined", "payment_timeout"]) }),
    (v1) => v1,
  ),
  /** The reason is the client's text. */
  OrderCancelled: event({ orderId: idField, reason: z.string() }),
} as const satisfies EventTypes;

export type OrderEvent = EventOf<typeof ORDER_EVENTS>;

/** All that the log holds: of orders, of customers that were forgotten, and of its processes. */
export const ORDERS_EVENTS = {
  ...ORDER_EVENTS,
  ...SUBJECT_EVENTS,
  ...PROCESS_EVENTS,
} as const satisfies EventTypes;

type DataOf<Type extends OrderEvent["type"]> = Extract<OrderEvent, { type: Type }>["data"];

export type OrderLine = DataOf<"OrderPlaced">["lines"][number];
export type RejectionReason = DataOf<"OrderRejected">["reason"];

export const ORDERS_PROBLEMS = {
  order_not_found: { status: 404, title: "There is no order with this id", retryable: false },
  order_already_cancelled: { status: 409, title: "The order was cancelled before", retryable: false },
  order_rejected: { status: 409, title: "The order was rejected", retryable: false },
  cancellation_too_late: { status: 409, title: "The order can no longer be cancelled", retryable: false },
  unknown_product: { status: 422, title: "A line names a product that is not offered", retryable: false },
  mixed_currencies: { status: 422, title: "All lines must be in one currency", retryable: false },
  orders_paused: { status: 503, title: "No orders are taken at the moment", retryable: true },
  total_too_large: { status: 422, title: "The total is larger than can be counted", retryable: false },
} as const satisfies ProblemTable;
