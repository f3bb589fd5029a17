/** What the gateway answers itself, and what it does to requests on their way. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { expectStatus, type Shop, shopOf, textOf } from "./shop.ts";

/** What the start registers. */
const SERVICES = ["catalog", "inventory", "orders", "payments"];

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
});
afterAll(() => system?.close());

type Json = Readonly<Record<string, unknown>>;
const objects = (value: unknown): Json[] => (Array.isArray(value) ? value : []);

test("a browser sees a page that names every service and leads to documents and monitor", async () => {
  const page = expectStatus(await shop.request("/", { headers: { accept: "text/html" } }), 200);
  expect(page.headers.get("content-type")).toContain("text/html");
  for (const name of SERVICES) expect(page.text).toContain(`/${name}/v1/openapi.json`);
  const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, href]) => href ?? "");
  expect(links).toContain("/monitor/");
  for (const link of new Set(links.filter((href) => href.startsWith("/")))) {
    expectStatus(await shop.request(link), 200);
  }
});

test("a program is told the same as JSON", async () => {
  const { body } = expectStatus(await shop.request("/"), 200);
  expect(objects(body?.services).map(({ name }) => name)).toEqual(SERVICES);
});

test("it is alive, and ready with everything that it needs by name", async () => {
  expectStatus(await shop.request("/healthz"), 200);
  const { body } = expectStatus(await shop.request("/readyz"), 200);
  const names = objects(body?.checks).map(({ name }) => name);
  expect(names).toEqual([...SERVICES, "monitor", "control", "identity"]);
});

test("each problem type is explained at its own address", async () => {
  const { body } = expectStatus(await shop.request("/problems"), 200);
  const codes = objects(body?.problems).map(({ code }) => String(code));
  expect(codes).toEqual(expect.arrayContaining(["invalid_body", "order_not_found", "unknown_sku"]));
  for (const code of codes) {
    const explained = expectStatus(await shop.request(`/problems/${code}`), 200);
    expect(explained.body).toMatchObject({ type: `/problems/${code}`, title: expect.any(String) });
  }
  expectStatus(await shop.request("/problems/never_heard_of"), 404);
});

describe("documents", () => {
  const documentOf = async (name: string): Promise<Json> =>
    expectStatus(await shop.request(`/${name}/v1/openapi.json`), 200).body ?? {};

  test("the gateway lists one of each service", async () => {
    const { body } = expectStatus(await shop.request("/openapi.json?list"), 200);
    const urls = objects(body?.services).map(({ url }) => url);
    expect(urls).toEqual(SERVICES.map((name) => `/${name}/v1/openapi.json`));
  });

  const resolve = (document: Json, reference: string): unknown =>
    reference
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], document);

  const everyReference = (value: unknown): string[] =>
    typeof value !== "object" || value === null
      ? []
      : Object.entries(value).flatMap(([key, item]) =>
          key === "$ref" ? [String(item)] : everyReference(item),
        );

  test.each(SERVICES)("%s is OpenAPI 3.1 whose references all lead somewhere", async (name) => {
    const document = await documentOf(name);
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    for (const reference of everyReference(document))
      expect([reference, resolve(document, reference)]).not.toContain(undefined);
    const paths = Object.entries((document.paths ?? {}) as Record<string, Json>);
    expect(paths.length).toBeGreaterThan(0);
    for (const [path, operations] of paths) {
      expect(path).toMatch(new RegExp(`^/${name}/v1/`));
      const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      for (const operation of Object.values(operations) as Json[]) {
        const declared = objects(operation.parameters).filter((parameter) => parameter.in === "path");
        expect(declared.map((parameter) => parameter.name)).toEqual(parameters);
        expect(Object.keys(operation.responses as Json).length).toBeGreaterThan(0);
      }
    }
  });

  /** A value that the schema itself gives as its example, put together from its parts. */
  const exampleOf = (document: Json, schema: Json): unknown => {
    if (typeof schema.$ref === "string") return exampleOf(document, resolve(document, schema.$ref) as Json);
    if (schema.example !== undefined) return schema.example;
    if (Array.isArray(schema.enum)) return schema.enum[0];
    if (schema.type === "array") return [exampleOf(document, schema.items as Json)];
    if (schema.type === "object") {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
      return Object.fromEntries(properties.map(([key, property]) => [key, exampleOf(document, property)]));
    }
    return schema.type === "integer" ? (schema.minimum ?? 1) : "a text";
  };

  const requestExample = async (name: string, path: string, method: string) => {
    const document = await documentOf(name);
    const operation = ((document.paths as Json)[path] as Json)[method] as Json;
    const content = ((operation.requestBody as Json).content as Json)["application/json"] as Json;
    return exampleOf(document, content.schema as Json);
  };

  test("their examples make a product, stock of it, and an order that is confirmed", async () => {
    const product = await requestExample("catalog", "/catalog/v1/products/{sku}", "put");
    expectStatus(await shop.request("/catalog/v1/products/tea-500", { method: "PUT", body: product }), 201);
    const receipt = await requestExample("inventory", "/inventory/v1/stock/{sku}/receipts", "post");
    const receipts = "/inventory/v1/stock/tea-500/receipts";
    expectStatus(await shop.request(receipts, { method: "POST", body: receipt }), 201);
    const order = await requestExample("orders", "/orders/v1/orders", "post");
    const placed = await shop.request("/orders/v1/orders", { method: "POST", body: order });
    const orderId = textOf(expectStatus(placed, 202).body, "orderId");
    expect(await shop.settled(orderId)).toMatchObject({ status: "confirmed" });
  });
});

test.each(["inventory", "orders", "payments"])(
  "the schemas of %s's events are those that were published",
  async (name) => {
    const { body } = expectStatus(await shop.request(`/${name}/v1/events`), 200);
    const published = readFileSync(join(ROOT, "workers", name, "events.json"), "utf8");
    expect(body).toEqual({ items: JSON.parse(published) });
  },
);

describe("a request", () => {
  const MADE_ID = /^[0-9a-f]{20}-[0-9a-z]+$/;

  test("keeps its own id, or is given one", async () => {
    const own = await shop.request("/orders/v1/orders", { headers: { "x-request-id": "client-7" } });
    expect(own.headers.get("x-request-id")).toBe("client-7");
    const given = [await shop.request("/orders/v1/orders"), await shop.request("/nothing")];
    const ids = given.map(({ headers }) => headers.get("x-request-id"));
    for (const id of ids) expect(id).toMatch(MADE_ID);
    expect(new Set(ids).size).toBe(2);
  });

  test.each(["two words", "x".repeat(129), "tab\there", "naïve"])(
    "is given another id than %.20s",
    async (id) => {
      const answer = await shop.request("/orders/v1/orders", { headers: { "x-request-id": id } });
      expect(answer.headers.get("x-request-id")).toMatch(MADE_ID);
    },
  );

  test("cannot pass for one of the workers by headers or by address", async () => {
    const headers = { "skerry-internal-actor": "shard-0", "skerry-internal-trace": "x" };
    expectStatus(await shop.request("/orders/v1/orders", { headers }), 200);
    for (const path of ["/orders/healthz", "/orders/readyz", "/orders/v1/../../readyz/x", "/v1/traces"]) {
      expectStatus(await shop.request(path), 404);
    }
    expectStatus(await shop.request("/v1/traces", { method: "POST", body: {} }), 404);
  });

  test("for an ETag that the client holds is answered without the body", async () => {
    const product = { name: "Cup", price: { amount: 1, currency: "EUR" } };
    expectStatus(await shop.request("/catalog/v1/products/cup", { method: "PUT", body: product }), 201);
    const first = expectStatus(await shop.request("/catalog/v1/products/cup"), 200);
    const etag = first.headers.get("etag") ?? "";
    const second = await shop.request("/catalog/v1/products/cup", { headers: { "if-none-match": etag } });
    expect([second.status, second.text]).toEqual([304, ""]);
  });
});
