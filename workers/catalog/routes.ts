/** The catalog over HTTP: a product by sku, and lists of them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Config } from "#shared/config/config.ts";
import type { Failure } from "#shared/http/errors.ts";
import { etagResponse, ifMatchHolds, strongEtag } from "#shared/http/etag.ts";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { skuSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { type CATALOG_CONFIG, CATALOG_PROBLEMS, CATALOG_SKUS_MAX, type Product } from "./contract.ts";
import type { ProductChange, Products } from "./products.ts";
import { productChangeSchema, productPageSchema, productSchema } from "./schemas.ts";

const params = z.strictObject({ sku: skuSchema });

const putProduct = createRoute({
  method: "put",
  path: "/products/{sku}",
  summary: "Creates or changes a product; the same request again changes nothing",
  request: {
    params,
    headers: z.object({
      "if-match": z.string().optional().meta({ description: "Change only what has one of these ETags" }),
      "if-none-match": z.literal("*").optional().meta({ description: "Create only" }),
    }),
    body: jsonBody(productChangeSchema),
  },
  responses: {
    200: jsonAnswer(productSchema, "The product, which was there before"),
    201: jsonAnswer(productSchema, "The product, created now"),
    ...problemAnswers(CATALOG_PROBLEMS, "precondition_failed", "invalid_body", "invalid_parameter"),
  },
});

const getProduct = createRoute({
  method: "get",
  path: "/products/{sku}",
  summary: "A product, with its ETag",
  request: { params },
  responses: {
    200: jsonAnswer(productSchema, "The product"),
    304: { description: "The client's `If-None-Match` holds it already" },
    ...problemAnswers(CATALOG_PROBLEMS, "product_not_found", "invalid_parameter"),
  },
});

const listProducts = createRoute({
  method: "get",
  path: "/products",
  summary: "Products by sku, in pages; or, without pages, those of the skus asked for",
  request: {
    query: z
      .strictObject({ ...pageParameters, sku: skuFilter() })
      .refine(({ sku, cursor }) => !sku || !cursor, {
        path: ["cursor"],
        message: "The answer for given skus has no pages: leave the cursor out",
      }),
  },
  responses: {
    200: jsonAnswer(productPageSchema, "Products; `Link` names the next page"),
    ...problemAnswers(CATALOG_PROBLEMS, "invalid_parameter"),
  },
});

/** One `sku` parameter or several; a query with one of a name holds it bare. */
function skuFilter() {
  const asList = (value: unknown) => (value === undefined || Array.isArray(value) ? value : [value]);
  return z
    .preprocess(asList, z.array(skuSchema).max(CATALOG_SKUS_MAX).optional())
    .meta({ description: `Up to ${CATALOG_SKUS_MAX} skus` });
}

/** Adds the catalog's routes to its app. */
export const addCatalogRoutes = (
  app: ServiceApp,
  products: Products,
  config: Pick<Config<z.infer<typeof CATALOG_CONFIG>>, "get">,
): void => {
  app.openapi(putProduct, async (c) => {
    const { sku } = c.req.valid("param");
    const { "if-match": match, "if-none-match": onlyCreate } = c.req.valid("header");
    const conditions = { match, onlyCreate: onlyCreate !== undefined };
    const written = await write(products, sku, c.req.valid("json"), conditions);
    if (!written.ok) return c.var.problem(written.error);
    const { product, created } = written.value;
    c.header("etag", await etagOf(product));
    if (!created) return c.json(product, 200);
    c.header("location", c.req.path);
    return c.json(product, 201);
  });

  app.openapi(getProduct, async (c) => {
    const { sku } = c.req.valid("param");
    const found = await products.find(sku);
    if (found) return etagResponse(c.req.raw, found.product, cacheControl(config.get().productMaxAgeSeconds));
    return c.var.problem({
      code: "product_not_found",
      detail: `Looking for the product "${sku}": expected one that was put before.`,
    });
  });

  app.openapi(listProducts, async (c) => {
    const { sku, limit, cursor } = c.req.valid("query");
    if (sku) return c.json({ items: await products.findAll(sku) }, 200);
    const place = cursor === undefined ? ok({ after: "" }) : decodeCursor(cursor, placeSchema);
    if (!place.ok) return c.var.problem(place.error);
    const found = await products.list({ after: place.value.after, limit: limit + 1 });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    if (last && found.length > limit) {
      c.header("link", nextLink(c.req.url, encodeCursor({ after: last.sku })));
    }
    return c.json({ items }, 200);
  });
};

const placeSchema = z.strictObject({ after: skuSchema });

/** Not `no-cache`, which would keep a gateway from showing it while the catalog is down. */
const cacheControl = (maxAgeSeconds: number): Record<string, string> => ({
  "cache-control": `public, max-age=${maxAgeSeconds}`,
});

/** The ETag that a GET of this product has. */
const etagOf = (product: Product): Promise<string> => strongEtag(JSON.stringify(product));

const write = async (
  products: Products,
  sku: string,
  change: ProductChange,
  { match, onlyCreate }: { match: string | undefined; onlyCreate: boolean },
): Promise<Result<{ product: Product; created: boolean }, Failure<"precondition_failed">>> => {
  if (match !== undefined) {
    const stored = onlyCreate ? undefined : await products.find(sku);
    // Products are never removed, so "whichever there is" cannot fail once there is one.
    if (stored && match.trim() === "*") return ok(await products.put(sku, change));
    const holds = stored !== undefined && ifMatchHolds(match, await etagOf(stored.product));
    const product = holds ? await products.replace(sku, stored.revision, change) : undefined;
    return product ? ok({ product, created: false }) : err(preconditionFailed(sku, `If-Match ${match}`));
  }
  if (!onlyCreate) return ok(await products.put(sku, change));
  const product = await products.create(sku, change);
  return product ? ok({ product, created: true }) : err(preconditionFailed(sku, "If-None-Match *"));
};

const preconditionFailed = (sku: string, condition: string): Failure<"precondition_failed"> => ({
  code: "precondition_failed",
  detail: `Putting the product "${sku}" on the condition "${condition.slice(0, 100)}": it does not hold.`,
});
