/** What other services may see of the catalog: its version, its problem types, its configuration, the form of a product. */
import * as z from "zod";
import type { ProblemTable } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";

export const CATALOG = { service: "catalog", major: 1, version: "1.0.0" } as const;

export const CATALOG_CONFIG = z.strictObject({
  productMaxAgeSeconds: z
    .int()
    .min(0)
    .max(24 * 60 * 60)
    .default(0)
    .meta({
      description: "How long clients may show a product without asking again; 0 makes them ask each time",
    }),
});

/** Skus that one `GET /catalog/v1/products?sku=…&sku=…` may ask for: the lines of one order. */
export const CATALOG_SKUS_MAX = 200;

export type Product = {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** Answer of `GET /catalog/v1/products`; with `sku` filters it is always whole. Fields may be added. */
export type ProductPage = { readonly items: readonly Product[] };

export const CATALOG_PROBLEMS = {
  product_not_found: { status: 404, title: "There is no product with this sku", retryable: false },
  precondition_failed: {
    status: 412,
    title: "The product is not in the state that the request asks for",
    retryable: false,
  },
} as const satisfies ProblemTable;
