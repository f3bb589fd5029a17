/** The forms of orders on the wire. */
import * as z from "zod";
import { pageParameters } from "#shared/http/page.ts";
import { moneySchema, skuSchema, timestampSchema, uuidSchema } from "#shared/http/schemas.ts";
import { LIMITS } from "#shared/limits.ts";

export const LINE_QUANTITY_MAX = 1_000_000;

const customerIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 of A-Z a-z 0-9 _ -")
  .meta({ example: "ada" });

export const statusSchema = z.enum(["placed", "confirmed", "rejected", "cancelled"]);

const quantitySchema = z.int().min(1).max(LINE_QUANTITY_MAX);

export const placeOrderSchema = z
  .strictObject({
    customerId: customerIdSchema,
    lines: z
      .array(z.strictObject({ sku: skuSchema, quantity: quantitySchema }))
      .min(1)
      .max(LIMITS.orderLines),
    deliveryAddress: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: "Forgotten with the customer", example: "12 St James's Square, London" }),
  })
  .meta({ id: "PlaceOrder" });

export const cancelOrderSchema = z
  .strictObject({ reason: z.string().trim().min(1).max(500) })
  .meta({ id: "CancelOrder" });

export const orderParameters = z.strictObject({ orderId: uuidSchema });

export const listOrdersQuery = z.strictObject({
  ...pageParameters,
  customerId: customerIdSchema.optional(),
  status: statusSchema.optional(),
});

const orderLineSchema = z.object({ sku: skuSchema, quantity: quantitySchema, price: moneySchema });

export const orderSummarySchema = z
  .object({
    orderId: uuidSchema,
    customerId: customerIdSchema,
    status: statusSchema,
    total: moneySchema,
    placedAt: timestampSchema,
  })
  .meta({ id: "OrderSummary" });

export const orderSchema = orderSummarySchema
  .extend({
    lines: z.array(orderLineSchema),
    deliveryAddress: z.string().optional().meta({ description: "Absent once the customer was forgotten" }),
    reason: z.string().optional().meta({ description: "Why it was rejected or cancelled" }),
    detail: z.string().optional(),
    confirmedAt: timestampSchema.optional(),
    rejectedAt: timestampSchema.optional(),
    cancelledAt: timestampSchema.optional(),
  })
  .meta({ id: "Order" });

export const recordedEventSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    time: timestampSchema,
    version: z.int(),
    position: z.int(),
    data: z.looseObject({}),
  })
  .meta({ id: "OrderEvent" });
