/** Whatever clients send that is not meant so: a clear refusal, nothing written, everything well afterwards. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { logPositions } from "./log-positions.ts";
import { sendBytes, sendChunked } from "./raw-request.ts";
import { type Answer, eventually, expectStatus, itemsOf, type Shop, shopOf } from "./shop.ts";

let system: TestSystem;
let shop: Shop;
let before: unknown;

const everythingWritten = async () => ({
  log: await logPositions(system.nats.url),
  products: itemsOf(await shop.request("/catalog/v1/products?limit=100")),
  orders: itemsOf(await shop.request("/orders/v1/orders?limit=100")),
  stock: itemsOf(await shop.request("/inventory/v1/stock?limit=100")),
  payments: itemsOf(await shop.request("/payments/v1/payments?limit=100")),
});

beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 1250, pieces: 100 });
  await shop.placeAndSettle([{ sku: "tea", quantity: 1 }]);
  // The order's three commits, and the two of the process that waited for its payment.
  await eventually(async () => expect((await logPositions(system.nats.url)).orders).toBe(5));
  await eventually(async () => {
    expect(await shop.stock("tea")).toMatchObject({ reserved: 1 });
    expect(itemsOf(await shop.request("/payments/v1/payments"))).toHaveLength(1);
  });
  before = await everythingWritten();
});
afterAll(() => system?.close());

afterEach(async () => {
  expect(await everythingWritten()).toEqual(before);
  expectStatus(await shop.request("/readyz"), 200);
});

const expectProblem = (
  { status, headers, body }: Pick<Answer, "status" | "headers" | "body">,
  expected: number,
  type: string,
) => {
  expect({ status, type: body?.type }).toEqual({ status: expected, type: `/problems/${type}` });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({ status: expected, title: expect.any(String), detail: expect.any(String) });
};

const line = { sku: "tea", quantity: 1 };
const order = { customerId: "ada", lines: [line] };
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const ORDERS = "/orders/v1/orders";
const PRODUCT = "/catalog/v1/products/tea";
const RECEIPTS = "/inventory/v1/stock/tea/receipts";

describe("a body", () => {
  const INVALID_JSON: [what: string, body: string][] = [
    ["nothing", ""],
    ["half an object", '{"customerId":"ada","lines":['],
    ["a word", "ada"],
    ["single quotes", "{'customerId':'ada'}"],
    ["a trailing comma", '{"customerId":"ada",}'],
    ["two documents", `${JSON.stringify(order)}${JSON.stringify(order)}`],
    ["NaN", '{"quantity":NaN}'],
    ["a bare NUL", "\0"],
    ["a byte order mark", `\u{FEFF}${JSON.stringify(order)}`],
    ["arrays nested a hundred thousand deep", nested(100_000)],
    ["objects nested five thousand deep", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`],
  ];
  test.each(INVALID_JSON)("of %s is no JSON to us", async (_, body) => {
    for (const path of [ORDERS, RECEIPTS]) {
      const headers = { "content-type": "application/json" };
      expectProblem(await shop.request(path, { method: "POST", body, headers }), 400, "invalid_json");
    }
  });

  const INVALID_ORDERS: [what: string, body: unknown][] = [
    ["null", null],
    ["a number", 1],
    ["a list", []],
    ["an empty object", {}],
    ["an unknown field", { ...order, coupon: "SAVE" }],
    ["an unknown field in a line", { ...order, lines: [{ ...line, price: 1 }] }],
    [
      "a field of the prototype",
      `{"customerId":"ada","lines":[{"sku":"tea","quantity":1}],"__proto__":{"a":1}}`,
    ],
    ["a constructor", { ...order, constructor: { prototype: {} } }],
    ["no lines", { ...order, lines: [] }],
    ["lines that are none", { ...order, lines: "tea" }],
    ["a line that is null", { ...order, lines: [null] }],
    ["too many lines", { ...order, lines: Array(LIMITS.orderLines + 1).fill(line) }],
    ["a quantity of 0", { ...order, lines: [{ ...line, quantity: 0 }] }],
    ["a negative quantity", { ...order, lines: [{ ...line, quantity: -1 }] }],
    ["half a piece", { ...order, lines: [{ ...line, quantity: 1.5 }] }],
    ["a quantity in words", { ...order, lines: [{ ...line, quantity: "1" }] }],
    ["more than can be counted", `{"customerId":"ada","lines":[{"sku":"tea","quantity":1e400}]}`],
    ["a quantity over its bound", { ...order, lines: [{ ...line, quantity: 2 ** 53 }] }],
    ["a customer with a dot", { ...order, customerId: "a.b" }],
    ["a customer with a space", { ...order, customerId: "a b" }],
    ["a customer of 10,000 characters", { ...order, customerId: "x".repeat(10_000) }],
    ["a customer with NUL", { ...order, customerId: "a\0b" }],
    ["a customer that is an object", { ...order, customerId: { $ne: "" } }],
    ["a customer in half a surrogate pair", '{"customerId":"\\ud800","lines":[{"sku":"tea","quantity":1}]}'],
    ["a sku that is a wildcard", { ...order, lines: [{ ...line, sku: "*" }] }],
    ["a sku that is all below", { ...order, lines: [{ ...line, sku: ">" }] }],
    ["a sku with a dot", { ...order, lines: [{ ...line, sku: "tea.green" }] }],
    ["a sku in Greek", { ...order, lines: [{ ...line, sku: "τσάι" }] }],
    ["an empty sku", { ...order, lines: [{ ...line, sku: "" }] }],
  ];
  test.each(INVALID_ORDERS)("of an order with %s is refused", async (_, body) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { "idempotency-key": "bad-input" };
    expectProblem(await shop.request(ORDERS, { method: "POST", body: text, headers }), 422, "invalid_body");
  });

  test("that is refused names the places that are wrong", async () => {
    const body = { customerId: "ada", lines: [line, { sku: "a b", quantity: "1" }], coupon: 1 };
    const answer = await shop.request(ORDERS, { method: "POST", body });
    expect(answer.body?.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: "lines.1.sku" }),
        expect.objectContaining({ path: "lines.1.quantity" }),
        expect.objectContaining({ path: "coupon" }),
      ]),
    );
    expect(answer.body?.instance).toBe(ORDERS);
  });

  const INVALID_PRODUCTS: [what: string, body: unknown][] = [
    ["no price", { name: "Tea" }],
    ["an empty name", { name: "", price: { amount: 1, currency: "EUR" } }],
    ["a name of 10,000 characters", { name: "x".repeat(10_000), price: { amount: 1, currency: "EUR" } }],
    ["NUL in its name", { name: "a\0b", price: { amount: 1, currency: "EUR" } }],
    ["a currency that is none", { name: "Tea", price: { amount: 1, currency: "XXX" } }],
    ["a currency in small letters", { name: "Tea", price: { amount: 1, currency: "eur" } }],
    ["a price in fractions", { name: "Tea", price: { amount: 0.1, currency: "EUR" } }],
    ["a price below nothing", { name: "Tea", price: { amount: -1, currency: "EUR" } }],
    ["a sku of its own", { sku: "other", name: "Tea", price: { amount: 1, currency: "EUR" } }],
  ];
  test.each(INVALID_PRODUCTS)("of a product with %s is refused", async (_, body) => {
    expectProblem(await shop.request(PRODUCT, { method: "PUT", body }), 422, "invalid_body");
  });

  test.each([
    [{}],
    [{ quantity: 0 }],
    [{ quantity: "5" }],
    [{ quantity: 5, sku: "x" }],
    [{ quantity: 1e9 }],
    [[5]],
  ])("of a receipt like %j is refused", async (body) => {
    expectProblem(await shop.request(RECEIPTS, { method: "POST", body }), 422, "invalid_body");
  });

  test("over the bound is refused, whether it says so or comes in chunks", async () => {
    const body = JSON.stringify({ ...order, padding: "x".repeat(LIMITS.requestBodyBytes) });
    expectProblem(await shop.request(ORDERS, { method: "POST", body }), 413, "body_too_large");
    const answer = await sendChunked(shop.url, {
      path: ORDERS,
      method: "POST",
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
      chunks: Array.from({ length: 40 }, () => " ".repeat(16 * 1024)),
    });
    expect([answer.status, JSON.parse(answer.text).type]).toEqual([413, "/problems/body_too_large"]);
  });

  test.each([
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
  ])("of the type %s is refused", async (type) => {
    const headers = { "content-type": type };
    const answer = await shop.request(ORDERS, { method: "POST", body: JSON.stringify(order), headers });
    expectProblem(answer, 415, "unsupported_media_type");
  });

  test("of bytes that are not UTF-8 is refused", async () => {
    const answer = await sendChunked(shop.url, {
      path: ORDERS,
      method: "POST",
      headers: { "content-type": "application/json" },
      chunks: [new Uint8Array([0x22, 0xff, 0xfe, 0x22])],
    });
    expect([answer.status, JSON.parse(answer.text).type]).toEqual([400, "/problems/invalid_json"]);
  });
});

describe("an id in the path", () => {
  const IDS: [what: string, id: string][] = [
    ["dots", "a.b.c"],
    ["a space", "a%20b"],
    ["a wildcard", "*"],
    ["all below", "%3E"],
    ["10,000 characters", "x".repeat(10_000)],
    ["NUL", "a%00b"],
    ["a line break", "a%0d%0aX-Injected:%201"],
    ["an escaped slash", "a%2Fb"],
    ["escapes that are none", "%zz"],
    ["bytes that are not UTF-8", "%ff%fe"],
    ["another script", encodeURIComponent("чай☕")],
    ["an emoji", encodeURIComponent("🍵")],
    ["SQL", encodeURIComponent("' OR 1=1 --")],
    ["__proto__ and a dot", "__proto__."],
  ];
  test.each(IDS)("with %s is refused, reading and writing", async (_, id) => {
    const receipt = { method: "POST", body: { quantity: 1 } };
    const product = { method: "PUT", body: { name: "Tea", price: { amount: 1, currency: "EUR" } } };
    const answers = [
      await shop.request(`/catalog/v1/products/${id}`),
      await shop.request(`/catalog/v1/products/${id}`, product),
      await shop.request(`/inventory/v1/stock/${id}`),
      await shop.request(`/inventory/v1/stock/${id}/receipts`, receipt),
      await shop.request(`/orders/v1/orders/${id}`),
      await shop.request(`/orders/v1/orders/${id}/events`),
      await shop.request(`/orders/v1/orders/${id}/cancellation`, { method: "POST", body: { reason: "x" } }),
      await shop.request(`/payments/v1/payments?orderId=${id}`),
    ];
    for (const answer of answers) expectProblem(answer, 400, "invalid_parameter");
  });

  test("named like a property of every object is an id like others", async () => {
    for (const id of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expectProblem(await shop.request(`/catalog/v1/products/${id}`), 404, "product_not_found");
      expectProblem(await shop.request(`/inventory/v1/stock/${id}`), 404, "unknown_sku");
    }
  });

  test.each([
    ["a raw space", "GET /catalog/v1/products/a b HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["raw bytes", "GET /catalog/v1/products/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["no path", "GET  HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["another protocol", "HELO skerry\r\n\r\n"],
    ["a length that is none", "POST /orders/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"],
    [
      "two lengths",
      "POST /orders/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
  ])("or a request with %s never becomes a success or a crash", async (_, bytes) => {
    const status = await sendBytes(shop.url, bytes);
    expect(status === 0 || (status >= 400 && status < 500)).toBe(true);
  });
});

describe("an address", () => {
  const METHODS: [method: string, path: string, allow: string[]][] = [
    ["DELETE", ORDERS, ["GET", "POST"]],
    ["PUT", ORDERS, ["GET", "POST"]],
    ["POST", PRODUCT, ["GET", "PUT"]],
    ["DELETE", PRODUCT, ["GET", "PUT"]],
    ["GET", RECEIPTS, ["POST"]],
    ["POST", "/payments/v1/payments", ["GET"]],
    ["PATCH", "/inventory/v1/stock", ["GET"]],
  ];
  test.each(METHODS)("does not take %s %s, and says what it takes", async (method, path, allow) => {
    const answer = await shop.request(path, { method });
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")?.split(/, */)).toEqual(expect.arrayContaining(allow));
  });

  test.each([
    "/nothing/v1/here",
    "/orders",
    "/orders/",
    "/orders/v2/orders",
    "/orders/v01/orders",
    "/orders/v1",
    "/orders/v1/nothing",
    "/orders/v1/orders/",
    "/Orders/v1/orders",
    "/__proto__/v1/orders",
    "/constructor/v1/x",
    "/orders/__proto__/orders",
    "/.env",
  ])("%s is not there", async (path) => {
    expectProblem(await shop.request(path), 404, "not_found");
  });

  test("with a parameter that it does not know is refused, so that a typo is not silently everything", async () => {
    for (const query of ["custmerId=ada", "status=confirmed&status=placed", "limit=5&limit=6"]) {
      expectProblem(await shop.request(`${ORDERS}?${query}`), 400, "invalid_parameter");
    }
  });
});

test("whatever is sent to whatever address is answered, and never by a failure of ours", async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      "orders",
      "v1",
      "catalog",
      "products",
      "inventory",
      "stock",
      "tea",
      "receipts",
      "cancellation",
      "monitor",
      "..",
      "*",
      ">",
      "%00",
      "healthz",
    ),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
  );
  const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`);
  const known = fc.constantFrom(
    ORDERS,
    PRODUCT,
    RECEIPTS,
    "/inventory/v1/stock",
    "/payments/v1/payments/x",
    "/payments/v1/parked/replays",
  );
  const body = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string(),
    fc
      .record({
        customerId: fc.anything(),
        lines: fc.array(fc.record({ sku: fc.string(), quantity: fc.double() })),
      })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("POST", "PUT", "DELETE", "PATCH"),
      fc.oneof(known, path),
      body,
      fc.constantFrom(
        "application/json",
        "application/json",
        "text/plain",
        "application/json; charset=utf-8",
      ),
      async (method, target, text, type) => {
        const answer = await shop.request(target, { method, body: text, headers: { "content-type": type } });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(answer.body?.type).toMatch(/^\/problems\/[a-z_]+$/);
        expect(answer.tookMs).toBeLessThan(5_000);
      },
    ),
    { numRuns: 200 },
  );
});
