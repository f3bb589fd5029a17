/** The forms of stock on the wire. */
import * as z from "zod";
import { skuSchema } from "#shared/http/schemas.ts";

const RECEIPT_QUANTITY_MAX = 1_000_000;

export const receiptSchema = z
  .strictObject({ quantity: z.int().min(1).max(RECEIPT_QUANTITY_MAX).meta({ description: "Pieces" }) })
  .meta({ id: "StockReceipt" });

export const stockParameters = z.strictObject({ sku: skuSchema });

export const stockSchema = z
  .object({
    sku: skuSchema,
    onHand: z.int().meta({ description: "Pieces in the house, reserved ones included" }),
    reserved: z.int().meta({ description: "Pieces that orders hold" }),
    available: z.int().meta({ description: "Pieces that can still be ordered" }),
  })
  .meta({ id: "Stock" });

/** Without the figures when the read model does not hold the receipt yet: a query for its position tells them. */
export const receivedSchema = stockSchema
  .partial({ onHand: true, reserved: true, available: true })
  .extend({ received: z.int().meta({ description: "Pieces that came in now" }) })
  .meta({ id: "StockReceived" });
