/** What other services may see of inventory: its events, its problem types, its configuration, its version. */
import * as z from "zod";
import type { ProblemTable } from "#shared/http/errors.ts";
import { LIMITS } from "#shared/limits.ts";

export const INVENTORY = { service: "inventory", major: 1, version: "1.0.0" } as const;

export const INVENTORY_CONFIG = z.strictObject({
  receiptWaitMs: z.int().min(0).max(LIMITS.positionWaitMs).default(LIMITS.positionWaitMs).meta({
    description:
      "How long the answer to a receipt waits for the stock as it stands then, before it goes without",
  }),
});

export type ReservationLine = { readonly sku: string; readonly quantity: number };

/** Aggregate `stock`, id: sku. Quantities are pieces, 1 or more. */
export type StockEvent =
  | { readonly type: "StockReceived"; readonly data: { readonly sku: string; readonly quantity: number } }
  /** Part of an order's reservation. */
  | {
      readonly type: "StockAllocated";
      readonly data: { readonly sku: string; readonly orderId: string; readonly quantity: number };
    }
  | {
      readonly type: "StockDeallocated";
      readonly data: { readonly sku: string; readonly orderId: string; readonly quantity: number };
    };

/** Aggregate `reservation`, id: orderId. */
export type ReservationEvent =
  /** Every line is allocated; one line a sku. */
  | {
      readonly type: "StockReserved";
      readonly data: { readonly orderId: string; readonly lines: readonly ReservationLine[] };
    }
  /** The order gets nothing: `sku` was the first of its lines that was short. */
  | {
      readonly type: "StockRefused";
      readonly data: { readonly orderId: string; readonly sku: string; readonly detail: string };
    }
  /** Also when it comes before the reservation, which is then never made. */
  | { readonly type: "StockReleased"; readonly data: { readonly orderId: string } };

export type InventoryEvent = StockEvent | ReservationEvent;

export const INVENTORY_PROBLEMS = {
  unknown_sku: { status: 404, title: "No stock of this sku was ever received", retryable: false },
  stock_full: { status: 409, title: "The stock would exceed what can be counted", retryable: false },
} as const satisfies ProblemTable;
