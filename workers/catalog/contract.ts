/** What other services may see of the catalog: its version, its problem types, the form of a product. */
import type { ProblemTable } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";

export const CATALOG = { service: "catalog", major: 1 } as const;

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
