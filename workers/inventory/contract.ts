/** What other services may see of inventory: its events, its problem types, its configuration, its version. */
import * as z from "zod";
import { idField, quantityField } from "#shared/events/event-fields.ts";
import { type EventOf, type EventTypes, event } from "#shared/events/event-types.ts";
import type { ProblemTable } from "#shared/http/errors.ts";
import { LIMITS } from "#shared/limits.ts";

export const INVENTORY = { service: "inventory", major: 1, version: "1.0.0" } as const;

export const INVENTORY_CONFIG = z.strictObject({
  receiptWaitMs: z.int().min(0).max(LIMITS.positionWaitMs).default(LIMITS.positionWaitMs).meta({
    description:
      "How long the answer to a receipt waits for the stock as it stands then, before it goes without",
  }),
});

const reservationLine = z.strictObject({ sku: idField, quantity: quantityField });

/** Aggregate `stock`, id: sku. Quantities are pieces. */
const STOCK_EVENTS = {
  StockReceived: event({ sku: idField, quantity: quantityField }),
  /** Part of an order's reservation. */
  StockAllocated: event({ sku: idField, orderId: idField, quantity: quantityField }),
  StockDeallocated: event({ sku: idField, orderId: idField, quantity: quantityField }),
} as const satisfies EventTypes;

/** Aggregate `reservation`, id: orderId. */
const RESERVATION_EVENTS = {
  /** Every line is allocated; one line a sku. */
  StockReserved: event({ orderId: idField, lines: z.array(reservationLine).min(1) }),
  /** The order gets nothing: `sku` was the first of its lines that was short. */
  StockRefused: event({ orderId: idField, sku: idField, detail: z.string() }),
  /** Also when it comes before the reservation, which is then never made. */
  StockReleased: event({ orderId: idField }),
} as const satisfies EventTypes;

export const INVENTORY_EVENTS = { ...STOCK_EVENTS, ...RESERVATION_EVENTS };

export type StockEvent = EventOf<typeof STOCK_EVENTS>;
export type ReservationEvent = EventOf<typeof RESERVATION_EVENTS>;
export type InventoryEvent = StockEvent | ReservationEvent;

export type ReservationLine = Extract<ReservationEvent, { type: "StockReserved" }>["data"]["lines"][number];

export const INVENTORY_PROBLEMS = {
  unknown_sku: { status: 404, title: "No stock of this sku was ever received", retryable: false },
  stock_full: { status: 409, title: "The stock would exceed what can be counted", retryable: false },
} as const satisfies ProblemTable;
