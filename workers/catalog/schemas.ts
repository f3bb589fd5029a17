/** The forms of products on the wire. */
import * as z from "zod";
import { moneySchema, skuSchema, timestampSchema } from "#shared/http/schemas.ts";
import type { Product, ProductPage } from "./contract.ts";

export const productSchema = z
  .strictObject({
    sku: skuSchema,
    name: z.string().min(1).max(200).meta({ example: "Black tea, 500 g" }),
    price: moneySchema,
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: "Product" }) satisfies z.ZodType<Product>;

/** What a client may decide about a product. */
export const productChangeSchema = productSchema
  .pick({ name: true, price: true })
  .meta({ id: "ProductChange" });

export const productPageSchema = z.strictObject({
  items: z.array(productSchema),
}) satisfies z.ZodType<ProductPage>;
