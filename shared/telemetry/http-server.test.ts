import { SpanStatusCode } from "@opentelemetry/api";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { tracedServer } from "./http-server.ts";
import { recordSpans } from "./record-spans.ts";

const spans = recordSpans();

const app = new Hono()
  .onError((_, c) => c.text("failed", 500))
  .use(tracedServer())
  .use("/orders/*", async (_, next) => next())
  .get("/orders/:id", (c) => c.text("an order"))
  .get("/unavailable", (c) => c.text("not now", 503))
  .get("/throws", () => {
    throw new RangeError("too far");
  })
  .route(
    "/nested",
    new Hono().get("/deep/:id", (c) => c.text("deep")),
  );

const spanOf = async (path: string, init?: RequestInit) => {
  await app.request(`https://shop.example:8443${path}`, init);
  const [span] = spans.take();
  if (!span) throw new Error(`No span of "${path}"`);
  return span;
};

test("a span is named after the route, whose values only stand in the path", async () => {
  const span = await spanOf("/orders/o-1?customerId=7", { headers: { "user-agent": "curl/8" } });
  expect(span.name).toBe("GET /orders/:id");
  expect(span.attributes).toEqual({
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "http.route": "/orders/:id",
    "server.address": "shop.example",
    "server.port": 8443,
    "url.path": "/orders/o-1",
    "url.scheme": "https",
    "user_agent.original": "curl/8",
  });
});

test("a target that is no URL has a span all the same", async () => {
  await app.request(Object.defineProperty(new Request("http://shop.example"), "url", { value: "*" }));
  expect(spans.take()[0]?.attributes).toEqual({
    "http.request.method": "GET",
    "http.response.status_code": 404,
    "url.path": "*",
  });
});

test("a route of a mounted app is named in full", async () => {
  expect((await spanOf("/nested/deep/1")).name).toBe("GET /nested/deep/:id");
});

test("an address that no route knows gives the method alone: clients cannot make up span names", async () => {
  const span = await spanOf("/made-up");
  expect([span.name, span.attributes["http.route"]]).toEqual(["GET", undefined]);
  expect((await spanOf("/made-up", { method: "BREW" })).name).toBe("HTTP");
});

test("a client's error is an ordinary answer, a server's is an error", async () => {
  expect((await spanOf("/made-up")).status.code).toBe(SpanStatusCode.UNSET);
  const unavailable = await spanOf("/unavailable");
  expect(unavailable.status.code).toBe(SpanStatusCode.ERROR);
  expect(unavailable.attributes["error.type"]).toBe("503");
});

test("what a handler throws is an event of the span", async () => {
  const span = await spanOf("/throws");
  expect(span.attributes["http.response.status_code"]).toBe(500);
  expect(span.events[0]?.attributes?.["exception.message"]).toBe("too far");
});

test.each(["nonsense", "00-xyz-1-01", "", "00-".repeat(5_000)])(
  "the malformed traceparent %j begins a new trace",
  async (traceparent) => {
    const span = await spanOf("/orders/o-1", { headers: { traceparent } });
    expect(span.parentSpanContext).toBeUndefined();
  },
);
