import { context } from "@opentelemetry/api";
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createServiceApp } from "#shared/http/service-app.ts";
import { LIMITS } from "#shared/limits.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { ORDERS, ORDERS_PROBLEMS } from "#workers/orders/contract.ts";
import { addOrderRoutes } from "#workers/orders/routes.ts";
import type { JsonObject } from "../../documents/service-document.ts";
import type { Exchange } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { validation } from "./validation.ts";
import type { WrittenValidation } from "./validation-schema.ts";

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the service got; undefined where it was not asked. */
  readonly passed: string | undefined;
  readonly problem: { readonly type: string; readonly detail: string; readonly errors: readonly object[] };
}

/** None passes. */
const TIME = { clock: () => 0, timer: () => () => undefined, deadlineMs: 1_000 };

/** What the service answers, and what comes of a request to it. */
const through = (
  document: JsonObject | undefined,
  settings: WrittenValidation = {},
  answer = () => new Response("{}"),
) => {
  const part = validation(settings, {
    documents: { of: () => document, isDue: () => false, refresh: async () => undefined },
    ...TIME,
  });
  return async (path: string, init: RequestInit = {}, more: Partial<Exchange> = {}): Promise<Told> => {
    let passed: string | undefined;
    const handler = part(async ({ request }) => {
      passed = await request.text();
      return answer();
    });
    const response = await answered(handler, fakeExchange(path, init, more));
    const text = await response.text();
    const isProblem = response.headers.get("content-type") === "application/problem+json";
    return {
      status: response.status,
      headers: response.headers,
      text,
      passed,
      problem: isProblem ? JSON.parse(text) : { type: "", detail: "", errors: [] },
    };
  };
};

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

const documentOf = (paths: object, components: object = {}): JsonObject => ({
  openapi: "3.1.0",
  paths,
  components,
});
const withParameters = (...parameters: object[]) =>
  documentOf({ "/shop/v1/things": { get: { parameters, responses: {} } } });
const withBody = (schema: object, components: object = {}, required = true) =>
  documentOf(
    {
      "/shop/v1/things": { post: { requestBody: { required, content: { "application/json": { schema } } } } },
    },
    components,
  );
const query = (name: string, schema: object, more: object = {}) => ({ name, in: "query", schema, ...more });

describe("the real document of orders", () => {
  let document: JsonObject;
  let ask: (path: string, init?: RequestInit) => Promise<Told>;
  beforeAll(async () => {
    const app = createServiceApp({
      ...ORDERS,
      name: ORDERS.service,
      description: "",
      problems: ORDERS_PROBLEMS,
      readiness: [],
    });
    addOrderRoutes(app, {} as Parameters<typeof addOrderRoutes>[1]);
    document = (await (await app.request("/orders/v1/openapi.json")).json()) as JsonObject;
    const send = through(document);
    ask = (path, init) => send(path, init, { service: "orders" });
  });

  test("lets through what it allows, unchanged", async () => {
    const order = { customerId: "ada", lines: [{ sku: "tea", quantity: 2 }] };
    const { status, passed } = await ask("/orders/v1/orders", json(order));
    expect([status, passed]).toEqual([200, JSON.stringify(order)]);
    expect((await ask("/orders/v1/orders?limit=5&customerId=ada")).status).toBe(200);
  });

  test("refuses a body that it does not allow, naming each place", async () => {
    const { status, problem, passed } = await ask(
      "/orders/v1/orders",
      json({ customerId: "a b", lines: [{ sku: "tea", quantity: "2" }] }),
    );
    expect([status, passed, problem.type]).toEqual([422, undefined, "/problems/invalid_body"]);
    expect(problem.errors).toEqual([
      { path: "customerId", message: expect.stringContaining("expected a text that matches") },
      { path: "lines.0.quantity", message: "expected integer, not string" },
    ]);
  });

  test.each([
    ["/orders/v1/orders?limit=many", "limit"],
    ["/orders/v1/orders?limit=0", "limit"],
    ["/orders/v1/orders/no-uuid", "orderId"],
  ])("refuses the parameters of %s", async (path, place) => {
    const { status, problem } = await ask(path);
    expect([status, problem.type]).toEqual([400, "/problems/invalid_parameter"]);
    expect(problem.errors).toMatchObject([{ path: place }]);
  });

  test("leaves paths and methods that it does not know to the service", async () => {
    for (const path of ["/orders/v1/nothing", "/orders/v1/openapi.json"])
      expect((await ask(path)).status).toBe(200);
    expect((await ask("/orders/v1/orders", { method: "DELETE" })).status).toBe(200);
  });
});

describe("a parameter", () => {
  const list = { type: "array", items: { type: "integer" }, maxItems: 3 };
  const box = {
    type: "object",
    properties: { w: { type: "integer" }, on: { type: "boolean" } },
    required: ["w"],
  };
  test.each<[string, object, string, boolean]>([
    ["is a number", query("n", { type: "integer", maximum: 9 }), "?n=9", true],
    ["is no number", query("n", { type: "integer" }), "?n=1e", false],
    ["is out of its bounds", query("n", { type: "integer", maximum: 9 }), "?n=10", false],
    ["is a boolean", query("b", { type: "boolean" }), "?b=true", true],
    ["is no boolean", query("b", { type: "boolean" }), "?b=yes", false],
    ["is a text of digits", query("t", { type: "string", minLength: 2 }), "?t=12", true],
    [
      "is a number or a text",
      query("t", { anyOf: [{ type: "integer" }, { type: "string", minLength: 3 }] }),
      "?t=abc",
      true,
    ],
    [
      "is a text of digits where numbers are possible",
      query("t", { anyOf: [{ type: "integer", maximum: 9 }, { type: "string" }] }),
      "?t=10",
      true,
    ],
    ["is encoded", query("t", { enum: ["a b"] }), "?t=a%20b", true],
    ["is a list of several", query("l", list), "?l=1&l=2", true],
    ["is a list of one", query("l", list), "?l=1", true],
    ["is a list with a wrong item", query("l", list), "?l=1&l=x", false],
    ["is a list with commas", query("l", list, { explode: false }), "?l=1,2,3", true],
    ["is a list that is too long", query("l", list, { explode: false }), "?l=1,2,3,4", false],
    ["is a list with pipes", query("l", list, { explode: false, style: "pipeDelimited" }), "?l=1|2", true],
    ["is a deep object", query("o", box, { style: "deepObject" }), "?o[w]=1&o[on]=true", true],
    ["is a wrong deep object", query("o", box, { style: "deepObject" }), "?o[on]=x", false],
    ["is an object of parameters", query("o", box), "?w=1&on=false", true],
    ["is a wrong object of parameters", query("o", box), "?w=x", false],
    ["lacks, and may", query("n", { type: "integer" }), "", true],
    ["lacks, and must not", query("n", { type: "integer" }, { required: true }), "", false],
    ["is empty, and may be", query("n", { type: "integer" }, { allowEmptyValue: true }), "?n=", true],
    ["has a style that nobody understands", query("o", box, { style: "odd" }), "?o=1", true],
  ])("that %s is judged so", async (_what, parameter, search, holds) => {
    const { status } = await through(withParameters(parameter))(`/shop/v1/things${search}`);
    expect(status).toBe(holds ? 200 : 400);
  });

  test("is found in headers and cookies as well", async () => {
    const ask = through(
      withParameters(
        { name: "X-Count", in: "header", required: true, schema: { type: "integer" } },
        { name: "kind", in: "cookie", schema: { enum: ["a", "b"] } },
        { name: "Authorization", in: "header", required: true, schema: {} },
      ),
    );
    const headers = { "x-count": "3", cookie: "z=1; kind=b" };
    expect((await ask("/shop/v1/things", { headers })).status).toBe(200);
    const { problem } = await ask("/shop/v1/things", { headers: { ...headers, "x-count": "x" } });
    expect(problem.detail).toContain('Reading the headers at "x-count"');
    expect((await ask("/shop/v1/things", { headers: { ...headers, cookie: "kind=c" } })).status).toBe(400);
  });

  test("of an operation is stronger than the same of its path, and may stand among the components", async () => {
    const document = documentOf(
      {
        "/shop/v1/things/{id}": {
          parameters: [query("n", { type: "integer" }), { $ref: "#/components/parameters/id" }],
          get: { parameters: [query("n", { enum: ["all"] })] },
        },
      },
      { parameters: { id: { name: "id", in: "path", required: true, schema: { type: "integer" } } } },
    );
    const ask = through(document);
    expect((await ask("/shop/v1/things/1?n=all")).status).toBe(200);
    expect((await ask("/shop/v1/things/1?n=5")).status).toBe(400);
    expect((await ask("/shop/v1/things/x")).status).toBe(400);
  });

  test("that is not declared is refused where that is asked for", async () => {
    const document = withParameters(query("n", {}), query("o", { type: "object" }, { style: "deepObject" }));
    expect((await through(document)("/shop/v1/things?m=1")).status).toBe(200);
    const ask = through(document, { unknownQuery: "refuse" });
    expect((await ask("/shop/v1/things?n=1&o[a]=1")).status).toBe(200);
    expect((await ask("/shop/v1/things?m=1")).problem.errors).toEqual([
      { path: "m", message: "expected no such parameter" },
    ]);
  });
});

describe("a path", () => {
  test("goes by literal segments before parameters, and by texts around them", async () => {
    const at = (path: string, max: number) => ({
      [path]: { get: { parameters: [query("n", { type: "integer", maximum: max })] } },
    });
    const ask = through(
      documentOf({
        ...at("/shop/v1/{kind}/{id}", 1),
        ...at("/shop/v1/things/{id}", 2),
        ...at("/shop/v1/things/mine", 3),
        ...at("/shop/v1/files/{name}.{ending}", 4),
      }),
    );
    for (const [path, max] of [
      ["/shop/v1/boxes/7", 1],
      ["/shop/v1/things/7", 2],
      ["/shop/v1/things/mine", 3],
      ["/shop/v1/files/a.txt", 4],
    ] as const) {
      expect([path, (await ask(`${path}?n=${max}`)).status]).toEqual([path, 200]);
      expect([path, (await ask(`${path}?n=${max + 1}`)).status]).toEqual([path, 400]);
    }
  });

  test("is the one that the service gets", async () => {
    const ask = through(withParameters(query("n", { type: "integer" })));
    const url = "http://gateway/shop/v1/things?n=x";
    expect((await ask("/elsewhere", {}, { url })).status).toBe(400);
  });
});

describe("a body", () => {
  const named = withBody({ type: "object", properties: { name: { type: "string" } }, required: ["name"] });

  test.each<[string, RequestInit, number, string]>([
    ["is missing", { method: "POST" }, 422, "invalid_body"],
    ["is empty", json(""), 422, "invalid_body"],
    ["is no JSON", json("{"), 400, "invalid_json"],
    ["is of another form", json([]), 422, "invalid_body"],
    ["is of another type", json("<a/>", { "content-type": "text/xml" }), 415, "unsupported_media_type"],
    ["says no type", { method: "POST", body: new Uint8Array([123]) }, 415, "unsupported_media_type"],
  ])("that %s is refused", async (_what, init, status, code) => {
    const told = await through(named)("/shop/v1/things", init);
    expect([told.status, told.problem.type, told.passed]).toEqual([status, `/problems/${code}`, undefined]);
    expect(told.problem.errors.length).toBeGreaterThan(0);
  });

  test("may lack where it may", async () => {
    const ask = through(withBody({ type: "object" }, {}, false));
    expect((await ask("/shop/v1/things", { method: "POST" })).status).toBe(200);
  });

  test("that is larger than the bound passes whole, whether its length is said or not", async () => {
    const ask = through(named, { bodyBytesMax: 10 });
    const text = JSON.stringify({ name: 1, filling: "x".repeat(100) });
    expect((await ask("/shop/v1/things", json(text))).passed).toBe(text);
    const chunks = new ReadableStream({
      start(controller) {
        for (const letter of text) controller.enqueue(new TextEncoder().encode(letter));
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", body: chunks, headers, duplex: "half" } as RequestInit;
    expect((await ask("/shop/v1/things", init)).passed).toBe(text);
  });

  test("may hold itself, refer to components by any pointer, and need not have what only answers have", async () => {
    const ask = through(
      withBody(
        { $ref: "#/components/schemas/Node" },
        {
          schemas: {
            Node: {
              type: "object",
              properties: {
                id: { type: "string", readOnly: true },
                size: { $ref: "#/components/schemas/A~1B/properties/size" },
                inner: { $ref: "#/components/schemas/Node" },
              },
              required: ["id", "size"],
            },
            "A/B": { properties: { size: { type: "integer" } } },
          },
        },
      ),
    );
    expect((await ask("/shop/v1/things", json({ size: 1, inner: { size: 2 } }))).status).toBe(200);
    expect((await ask("/shop/v1/things", json({ size: 1, inner: { size: "2" } }))).problem.errors).toEqual([
      { path: "inner.size", message: "expected integer, not string" },
    ]);
  });

  test.each<[string, object, unknown]>([
    [
      "a long text with a pattern",
      { properties: { a: { type: "string", pattern: "^[a-z]+$" } } },
      { a: "a".repeat(5_000) },
    ],
    ["a pattern that may take for ever", { properties: { a: { pattern: "^(a+)+$" } } }, { a: "b" }],
    ["a reference to elsewhere", { $ref: "https://elsewhere.example/schema" }, { a: 1 }],
    ["words that are none", { type: "thing", minimum: "1", properties: 3 }, { a: 1 }],
    ["a schema that comes back to itself", { $ref: "#/components/schemas/Loop" }, { a: 1 }],
    [
      "more comparisons than there is time for",
      { properties: { a: { allOf: Array.from({ length: 50 }, () => ({ uniqueItems: true })) } } },
      { a: Array.from({ length: 3_000 }, (_, index) => index) },
    ],
    ["more levels than are looked at", {}, JSON.parse(`${"[".repeat(1_000)}${"]".repeat(1_000)}`)],
  ])("that cannot be checked, for %s, is not refused", async (_what, schema, body) => {
    const ask = through(withBody(schema, { schemas: { Loop: { $ref: "#/components/schemas/Loop" } } }));
    expect((await ask("/shop/v1/things", json(body))).status).toBe(200);
  });
});

describe("an answer", () => {
  const schema = { type: "object", properties: { id: { type: "integer" } }, required: ["id"] };
  const document = documentOf({
    "/shop/v1/things": {
      get: {
        responses: {
          200: { description: "", content: { "application/json": { schema } } },
          "4XX": { description: "" },
        },
      },
    },
  });
  const answering =
    (body: string, status = 200, type = "application/json") =>
    () =>
      new Response(body, { status, headers: { "content-type": type } });

  test.each<[string, () => Response]>([
    ["has another form", answering('{"id":"x"}')],
    ["is no JSON", answering("{")],
    ["has another type", answering("<a/>", 200, "text/xml")],
    ["has a status that nobody knows", answering("", 503)],
  ])("that %s is told of where that is asked for, and refused where that is", async (_what, answer) => {
    const asGiven = await answer().text();
    const off = await through(document, {}, answer)("/shop/v1/things");
    expect([off.text, off.headers.get("skerry-validation")]).toEqual([asGiven, null]);
    const told = await through(document, { answers: "report" }, answer)("/shop/v1/things");
    expect([told.text, told.headers.get("skerry-validation")]).toEqual([
      asGiven,
      "answer_not_valid; errors=1",
    ]);
    const refused = await through(document, { answers: "refuse" }, answer)("/shop/v1/things");
    expect([refused.status, refused.problem.type]).toEqual([500, "/problems/answer_not_valid"]);
  });

  test.each<[string, () => Response]>([
    ["fits", answering('{"id":1}')],
    ["is of a status for which nothing is said", answering("anything", 404)],
    ["says that nothing changed", () => new Response(null, { status: 304 })],
  ])("that %s is given as it is", async (_what, answer) => {
    const { headers, text } = await through(document, { answers: "refuse" }, answer)("/shop/v1/things");
    expect(headers.get("skerry-validation")).toBeNull();
    expect(text).toBe(await answer().text());
  });
});

test("what is only reported is passed on, and said in the answer", async () => {
  const ask = through(withParameters(query("n", { type: "integer" })), { requests: "report" });
  const { status, headers } = await ask("/shop/v1/things?n=x");
  expect([status, headers.get("skerry-validation")]).toEqual([200, "invalid_parameter; errors=1"]);
});

test("what was too large to be looked at, and what was only reported, is told in the trace", async () => {
  const spans = recordSpans();
  const document = withBody({ type: "object", required: ["name"] });
  for (const bodyBytesMax of [1, 1_000]) {
    await inSpan("request", {}, async () => {
      const ask = through(document, { requests: "report", bodyBytesMax });
      await ask("/shop/v1/things", json({ a: 1 }), { trace: context.active() });
    });
  }
  const events = spans.take().flatMap((span) => span.events.map(({ attributes }) => attributes));
  expect(events).toEqual([
    { "skerry.validation.unchecked": "too_large", "skerry.validation.subject": "body" },
    {
      "skerry.validation.code": "invalid_body",
      "skerry.validation.subject": "body",
      "skerry.validation.places": ["name"],
    },
  ]);
});

test("without a document everything passes, and the document is fetched behind the answer", async () => {
  let refreshed = 0;
  const documents = { of: () => undefined, isDue: () => true, refresh: async () => void refreshed++ };
  const exchange = fakeExchange("/shop/v1/things?n=x");
  const response = await validation({}, { documents, ...TIME })(async () => new Response("ok"))(exchange);
  expect([await response.text(), refreshed, exchange.afterwards.length]).toEqual(["ok", 1, 1]);
});

test("never throws, whatever document and request are", async () => {
  const word = fc.constantFrom(
    ..."type properties items anyOf allOf $ref enum const required pattern additionalProperties schema content in name style explode parameters requestBody responses 200 default get post application/json query path object array string integer deepObject form __proto__ #/components/schemas/a #/components/parameters/b ^a ( a b".split(
      " ",
    ),
  );
  const anything = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 6 },
      word,
      fc.constantFrom<unknown>(null, true, 1),
      fc.dictionary(word, tie("any"), { maxKeys: 5 }),
      fc.array(tie("any"), { maxLength: 3 }),
    ),
  })).any;
  const parameter = fc.record({
    name: word,
    in: fc.constantFrom("query", "path", "header", "cookie"),
    schema: anything,
    style: word,
    explode: fc.boolean(),
  });
  const operation = fc.record({
    parameters: fc.oneof(fc.array(parameter), anything),
    requestBody: fc.oneof(
      fc.record({ content: fc.record({ "application/json": fc.record({ schema: anything }) }) }),
      anything,
    ),
    responses: fc.oneof(
      fc.record({
        200: fc.record({ content: fc.record({ "application/json": fc.record({ schema: anything }) }) }),
      }),
      anything,
    ),
  });
  const components = fc.record({ schemas: fc.dictionary(word, anything), parameters: anything });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(operation, anything),
      components,
      fc.webQueryParameters(),
      fc.oneof(
        fc.json(),
        fc.string(),
        anything.map((value) => JSON.stringify(value)),
      ),
      async (declared, parts, search, body) => {
        const document = documentOf({ "/shop/v1/{a}": { post: declared, parameters: declared } }, parts);
        const settings = { answers: "refuse", unknownQuery: "refuse" } as const;
        const ask = through(
          document,
          settings,
          () => new Response(body, { headers: { "content-type": "application/json" } }),
        );
        const { status } = await ask(`/shop/v1/x?${search}`, json(body));
        expect([200, 400, 415, 422, 500]).toContain(status);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a body as costly as may be is done with in bounded time", async () => {
  const schema = {
    anyOf: Array.from({ length: 20 }, () => ({
      properties: { a: { $ref: "#/components/schemas/n" } },
      required: ["z"],
    })),
  };
  const ask = through(withBody({ $ref: "#/components/schemas/n" }, { schemas: { n: schema } }), {
    bodyBytesMax: LIMITS.validatedBodyBytes,
  });
  const started = performance.now();
  const deep = JSON.parse(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`);
  expect((await ask("/shop/v1/things", json(deep))).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(3_000);
});

test("a body that does not come in time is not waited for, and nobody is asked", async () => {
  let now = 0;
  const timed: (() => void)[] = [];
  const document = withBody({ type: "object" });
  const part = validation(
    {},
    {
      documents: { of: () => document, isDue: () => false, refresh: async () => undefined },
      clock: () => now,
      timer: (_, run) => {
        timed.push(run);
        return () => undefined;
      },
      deadlineMs: 1_000,
    },
  );
  let asked = 0;
  const body = new ReadableStream({ pull: () => new Promise(() => undefined) });
  const init = { ...json({}), body, duplex: "half" } as RequestInit;
  const handler = part(async () => new Response(`${++asked}`));
  const waiting = handler(fakeExchange("/shop/v1/things", init));
  await vi.waitFor(() => expect(timed).toHaveLength(1));
  now = 1_000;
  timed[0]?.();
  expect([(await waiting).status, asked]).toEqual([504, 0]);
});
