/** What other services may see of the catalog: its version, its problem types, the form of a product. */
import { z } from "zod";
import type { ProblemTable } from "#shared/http/errors.ts";
import { moneySchema, skuSchema, timestampSchema } from "#shared/http/schemas.ts";

export const CATALOG = { service: "catalog", major: 1 } as const;

/** Skus that one `GET /catalog/v1/products?sku=…&sku=…` may ask for: the lines of one order. */
export const CATALOG_SKUS_MAX = 200;

export const productSchema = z
  .strictObject({
    sku: skuSchema,
    name: z.string().min(1).max(200).meta({ example: "Black tea, 500 g" }),
    price: moneySchema,
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: "Product" });

export type Product = z.infer<typeof productSchema>;

/** Answer of `GET /catalog/v1/products`; with `sku` filters it is always whole. */
export const productPageSchema = z.strictObject({ items: z.array(productSchema) });

export const CATALOG_PROBLEMS = {
  product_not_found: { status: 404, title: "There is no product with this sku", retryable: false },
  precondition_failed: {
    status: 412,
    title: "The product is not in the state that the request asks for",
    retryable: false,
  },
} as const satisfies ProblemTable;
