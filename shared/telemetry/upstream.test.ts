import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { beforeEach, expect, test } from "vitest";
import { withTrace } from "./propagation.ts";
import { recordSpans } from "./record-spans.ts";
import { inSpan } from "./span.ts";
import { tracedUpstream } from "./upstream.ts";

const spans = recordSpans();
beforeEach(() => void spans.take());

const upstreamAnswering = (answer: (request: Request) => Promise<Response>) =>
  tracedUpstream({ fetch: answer }, { service: "inventory" });

test("the request carries the span, and the span says whom it asked", async () => {
  const upstream = upstreamAnswering(async (request) => new Response(request.headers.get("traceparent")));
  const carried = await (await upstream.fetch(new Request("http://inventory:81/v1/stock?key=secret"))).text();
  const [span] = spans.take();
  expect(carried).toBe(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`);
  expect(span?.kind).toBe(SpanKind.CLIENT);
  expect(span?.attributes).toEqual({
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "server.address": "inventory",
    "server.port": 81,
    "service.peer.name": "inventory",
    "url.full": "http://inventory:81/v1/stock",
  });
});

test("an unsampled trace is carried on as it is, without a span", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const upstream = upstreamAnswering(async (request) => new Response(request.headers.get("traceparent")));
  const answer = await withTrace({ traceparent }, () => upstream.fetch(new Request("http://inventory/")));
  expect(await answer.text()).toBe(traceparent);
  expect(spans.take()).toEqual([]);
});

test("a request whose headers cannot be changed is sent as a copy, body and all", async () => {
  const frozen = new Request("http://inventory/", { method: "POST", body: "the body" });
  frozen.headers.set = () => {
    throw new TypeError("Can't modify immutable headers.");
  };
  const upstream = upstreamAnswering(
    async (request) => new Response(`${await request.text()} ${request.headers.get("traceparent")}`),
  );
  const answer = await inSpan("caller", {}, () => upstream.fetch(frozen));
  expect(await answer.text()).toMatch(/^the body 00-/);
});

test.each([404, 503])("the status %i is an error for the one who asked", async (status) => {
  const upstream = upstreamAnswering(async () => new Response(null, { status }));
  expect((await upstream.fetch(new Request("http://inventory/"))).status).toBe(status);
  const [span] = spans.take();
  expect([span?.status.code, span?.attributes["error.type"]]).toEqual([SpanStatusCode.ERROR, String(status)]);
});

test("no answer at all is recorded and passed on", async () => {
  const refused = new TypeError("connection refused");
  const upstream = upstreamAnswering(() => Promise.reject(refused));
  await expect(upstream.fetch(new Request("http://inventory/"))).rejects.toBe(refused);
  expect(spans.take()[0]?.attributes["error.type"]).toBe("TypeError");
});

test("a request that was sent before says how often, the first one nothing", async () => {
  const upstream = upstreamAnswering(async () => new Response());
  await upstream.fetch(new Request("http://inventory/"));
  await upstream.fetch(new Request("http://inventory/"), 2);
  const counts = spans.take().map(({ attributes }) => attributes["http.request.resend_count"]);
  expect(counts).toEqual([undefined, 2]);
});
