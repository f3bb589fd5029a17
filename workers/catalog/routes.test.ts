import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/d1";
import fc from "fast-check";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { createServiceApp, type ServiceApp } from "#shared/http/service-app.ts";
import { CATALOG, CATALOG_PROBLEMS, type Product } from "./contract.ts";
import { createProducts } from "./products.ts";
import { addCatalogRoutes } from "./routes.ts";
import { productPageSchema, productSchema } from "./schemas.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations/catalog", import.meta.url).href);

let miniflare: Miniflare;
let database: D1Database;
let now: number;
let productMaxAgeSeconds: number;
let app: ServiceApp;

beforeAll(async () => {
  const worker = {
    name: "rows",
    modules: true as const,
    script: "export default {}",
    d1Databases: { DB: "db" },
  };
  const dates = { compatibilityDate: "2026-10-01" };
  miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [{ ...worker, ...dates }] }));
  database = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  await applyMigrations(database as never, MIGRATIONS);
});
afterAll(() => miniflare.dispose());

beforeEach(async () => {
  await database.exec("DELETE FROM products");
  now = Date.UTC(2026, 0, 1);
  productMaxAgeSeconds = 0;
  app = createServiceApp({
    name: CATALOG.service,
    major: CATALOG.major,
    description: "",
    problems: CATALOG_PROBLEMS,
    readiness: [],
  });
  addCatalogRoutes(
    app,
    createProducts(drizzle(database), () => now++),
    { get: () => ({ productMaxAgeSeconds }) },
  );
});

const tea = { name: "Tea", price: { amount: 450, currency: "EUR" } };
const coffee = { name: "Coffee", price: { amount: 900, currency: "EUR" } };

const put = (sku: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/catalog/v1/products/${sku}`, {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
const get = (path: string, headers: Record<string, string> = {}) =>
  app.request(`/catalog/v1/products${path}`, { headers });
const etagOf = async (sku: string) => (await get(`/${sku}`)).headers.get("etag") ?? "";

describe("a product", () => {
  test("is created by its first PUT, with its address", async () => {
    const response = await put("tea", tea);
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/catalog/v1/products/tea");
    expect(productSchema.parse(await response.json())).toEqual({
      sku: "tea",
      ...tea,
      createdAt: "2026-01-01T00:00:00.000Z",
      updatedAt: "2026-01-01T00:00:00.000Z",
    });
  });

  test("is changed by another PUT and keeps when it was created", async () => {
    await put("tea", tea);
    const response = await put("tea", coffee);
    expect(response.status).toBe(200);
    const product = (await response.json()) as Product;
    expect(product).toMatchObject({ ...coffee, createdAt: "2026-01-01T00:00:00.000Z" });
    expect(product.updatedAt > product.createdAt).toBe(true);
    expect(await (await get("/tea")).json()).toEqual(product);
  });

  test("stays as it is when the same PUT comes again", async () => {
    const first = await put("tea", tea);
    const again = await put("tea", tea);
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual(await first.json());
    expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
  });

  test("is created once when the same PUT comes twenty times at once", async () => {
    const responses = await Promise.all(Array.from({ length: 20 }, () => put("tea", tea)));
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(19);
  });

  test("is not found before it is put", async () => {
    const response = await get("/tea");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: "/problems/product_not_found" });
  });

  test("is answered with 304 to whoever has it, until it changes", async () => {
    const etag = (await put("tea", tea)).headers.get("etag") ?? "";
    const cached = await get("/tea", { "if-none-match": `"other", W/${etag}` });
    expect(cached.status).toBe(304);
    expect(await cached.text()).toBe("");
    expect(cached.headers.get("etag")).toBe(etag);
    await put("tea", coffee);
    expect((await get("/tea", { "if-none-match": etag })).status).toBe(200);
  });

  test("is only created under If-None-Match: *", async () => {
    expect((await put("tea", tea, { "if-none-match": "*" })).status).toBe(201);
    const again = await put("tea", coffee, { "if-none-match": "*" });
    expect(again.status).toBe(412);
    expect(await again.json()).toMatchObject({ type: "/problems/precondition_failed" });
    expect(await (await get("/tea")).json()).toMatchObject(tea);
  });

  test("is only changed in the state that If-Match names", async () => {
    expect((await put("tea", tea, { "if-match": "*" })).status).toBe(412);
    await put("tea", tea);
    const etag = await etagOf("tea");
    expect((await put("tea", coffee, { "if-match": etag })).status).toBe(200);
    expect((await put("tea", tea, { "if-match": etag })).status).toBe(412);
    expect(await (await get("/tea")).json()).toMatchObject(coffee);
  });

  test("takes one of many conditional changes made at once, and loses none silently", async () => {
    await put("tea", tea);
    const etag = await etagOf("tea");
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        put("tea", { ...tea, name: `Tea ${index}` }, { "if-match": etag }),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  test.each([
    ["no name", { price: tea.price }],
    ["an empty name", { ...tea, name: "" }],
    ["a name of 201 characters", { ...tea, name: "x".repeat(201) }],
    ["a negative price", { ...tea, price: { amount: -1, currency: "EUR" } }],
    ["its own sku", { ...tea, sku: "tea" }],
  ])("with %s is refused and not written", async (_, body) => {
    expect((await put("tea", body)).status).toBe(422);
    expect((await get("/tea")).status).toBe(404);
  });

  test("comes back as it was put, whatever its name holds", async () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(name, fc.nat(), async (text, amount) => {
        const body = { name: text, price: { amount, currency: "JPY" } };
        await put("any", body);
        expect(await (await get("/any")).json()).toMatchObject(body);
      }),
      { numRuns: 50, examples: [["'; DROP TABLE products; --", 0]] },
    );
  });
});

describe("the list of products", () => {
  const skus = (page: { items: Product[] }) => page.items.map(({ sku }) => sku);
  const page = async (path: string) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    return productPageSchema.parse(await response.json());
  };

  test("goes page by page through every product once, in the order of skus", async () => {
    const all = Array.from({ length: 7 }, (_, index) => `sku-${index}`);
    for (const sku of all) await put(sku, tea);
    const seen: string[] = [];
    let path: string | undefined = "/catalog/v1/products?limit=3";
    while (path) {
      const response: Response = await app.request(path);
      seen.push(...skus(productPageSchema.parse(await response.json())));
      path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(all);
  });

  test("has no next page after one that is just full", async () => {
    await put("a", tea);
    await put("b", tea);
    expect((await get("?limit=2")).headers.has("link")).toBe(false);
    expect((await get("?limit=1")).headers.has("link")).toBe(true);
  });

  test("answers for 200 skus at once, leaving out those that do not exist", async () => {
    await put("a", tea);
    await put("b", coffee);
    const others = Array.from({ length: 198 }, (_, index) => `sku=x${index}`).join("&");
    expect(skus(await page(`?sku=b&${others}&sku=a`))).toEqual(["a", "b"]);
    expect(skus(await page("?sku=b"))).toEqual(["b"]);
    expect(skus(await page("?sku=none"))).toEqual([]);
  });

  test.each([
    "?limit=0",
    "?limit=101",
    "?limit=1.5",
    "?limit=x",
    "?limit=1&limit=2",
    "?cursor=x",
    "?cursor=eyJhZnRlciI6MX0",
    "?sku=a.b",
    "?sku=a&cursor=eyJhZnRlciI6ImEifQ",
    "?color=red",
    `?${Array.from({ length: 201 }, () => "sku=a").join("&")}`,
  ])("refuses %s with 400", async (query) => {
    const response = await get(query);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: "/problems/invalid_parameter" });
  });
});

describe("a product's lifetime with clients", () => {
  test("ends at once by default: they ask whether it still holds, and may show it where nobody answers", async () => {
    await put("tea", tea);
    expect((await get("/tea")).headers.get("cache-control")).toBe("public, max-age=0");
  });

  test("is what the configuration says, from the next answer on", async () => {
    await put("tea", tea);
    productMaxAgeSeconds = 60;
    expect((await get("/tea")).headers.get("cache-control")).toBe("public, max-age=60");
  });
});
