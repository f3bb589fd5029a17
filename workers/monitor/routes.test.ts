import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { SpanStatusCode } from "@opentelemetry/api";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { otlpExporter } from "#otel/otlp-exporter.ts";
import { spanBuffer } from "#otel/span-buffer.ts";
import { LIMITS } from "#shared/limits.ts";
import { metricStore } from "./metric-store.ts";
import { monitorApp } from "./routes.ts";
import { traceStore } from "./trace-store.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const EVIL = `</script><script>alert("1")</script><img src=x onerror='alert(2)'>`;

const monitor = () => {
  const database = new DatabaseSync(":memory:");
  const sql = {
    exec: (statement: string, ...params: unknown[]) =>
      database.prepare(statement).all(...(params as string[])) as never,
    transaction: <T>(work: () => T) => work(),
  };
  const { methods: traces } = traceStore({ sql });
  const { methods: metrics } = metricStore({ sql, clock: () => Date.parse("2026-11-22T14:48:00Z") });
  return monitorApp({ traces: { named: () => traces }, metrics: { named: () => metrics } });
};

const exportRequest = (overrides: object = {}, service = "orders") => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: TRACE_ID,
              spanId: "b7ad6b7169203331",
              name: "POST /orders",
              kind: 2,
              startTimeUnixNano: "1795358880484000000",
              endTimeUnixNano: "1795358880485500000",
              ...overrides,
            },
          ],
        },
      ],
    },
  ],
});

const post = (
  app: ReturnType<typeof monitor>,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  app.request("/v1/traces", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });

const monitorWith = async (overrides: object = {}, service?: string) => {
  const app = monitor();
  const response = await post(app, JSON.stringify(exportRequest(overrides, service)));
  expect(response.status).toBe(200);
  return app;
};

const gzipped = (text: string) => new Uint8Array(gzipSync(text));

test("spans that were sent are in the list and in the trace", async () => {
  const app = await monitorWith();
  expect(await (await app.request("/monitor/api/traces")).json()).toEqual({
    items: [
      {
        traceId: TRACE_ID,
        startTime: "2026-11-22T14:48:00.484Z",
        durationMs: 1.5,
        rootName: "POST /orders",
        rootService: "orders",
        services: ["orders"],
        spanCount: 1,
        errorCount: 0,
      },
    ],
  });
  const trace = await (await app.request(`/monitor/api/traces/${TRACE_ID}`)).json();
  expect(trace).toMatchObject({
    traceId: TRACE_ID,
    spans: [{ name: "POST /orders", kind: "server", depth: 0 }],
  });
});

test("what the workers' exporter sends is taken, errors, events and links included", async () => {
  const buffer = spanBuffer({ capacity: 10, clock: () => 0 });
  const span = new TracerProvider({ spanProcessors: [buffer.processor] })
    .getTracer("test")
    .startSpan("apply", {
      attributes: { "order.id": "o-1", sizes: [1, 2] },
      links: [{ context: { traceId: TRACE_ID, spanId: "b7ad6b7169203331", traceFlags: 1 } }],
    });
  span.recordException(new RangeError("too far"));
  span.setStatus({ code: SpanStatusCode.ERROR, message: "too far" });
  span.end();
  const app = monitor();
  const send = async (request: Request) => app.fetch(request);
  const exportSpans = otlpExporter({ send, sleep: async () => {}, random: () => 0 });
  expect(await exportSpans(buffer.take())).toEqual({ sent: 1, dropped: 0 });
  const { traceId } = span.spanContext();
  expect(await (await app.request(`/monitor/api/traces/${traceId}`)).json()).toMatchObject({
    spans: [
      {
        name: "apply",
        status: "error",
        statusMessage: "too far",
        attributes: { "order.id": "o-1", sizes: "[1,2]" },
        events: [{ name: "exception", attributes: { "exception.message": "too far" } }],
        links: [{ traceId: TRACE_ID, spanId: "b7ad6b7169203331" }],
      },
    ],
  });
});

test("a gzip body is unpacked", async () => {
  const app = monitor();
  const response = await post(app, gzipped(JSON.stringify(exportRequest())), { "content-encoding": "gzip" });
  expect([response.status, await response.json()]).toEqual([200, {}]);
  expect((await app.request(`/monitor/api/traces/${TRACE_ID}`)).status).toBe(200);
});

test("spans that are not valid are told as a partial success", async () => {
  const response = await post(monitor(), JSON.stringify(exportRequest({ spanId: "none" })));
  expect([response.status, await response.json()]).toMatchObject([
    200,
    { partialSuccess: { rejectedSpans: "1" } },
  ]);
});

test.each([
  ["protobuf", 415, "\n", { "content-type": "application/x-protobuf" }],
  ["another encoding", 415, "{}", { "content-encoding": "br" }],
  ["no JSON", 400, "{", {}],
  ["nothing", 400, "", {}],
  ["JSON that is no request", 400, "[]", {}],
  ["broken gzip", 400, "not gzip at all", { "content-encoding": "gzip" }],
  ["a body over the bound", 413, `{"x":"${"x".repeat(LIMITS.exportBodyBytes)}"}`, {}],
  [
    "gzip that unpacks over the bound",
    413,
    gzipped("x".repeat(LIMITS.exportBodyBytes + 1)),
    { "content-encoding": "gzip" },
  ],
] as const)("%s is refused with %i and a reason", async (_, status, body, headers) => {
  const response = await post(monitor(), body as string, headers);
  expect(response.status).toBe(status);
  expect((await response.json()) as object).toMatchObject({ message: expect.stringMatching(/^Reading the/) });
});

test("text that is not UTF-8 is refused", async () => {
  expect((await post(monitor(), new Uint8Array([0x22, 0xff, 0x22]))).status).toBe(400);
});

test("whatever a span says stays text on every page", async () => {
  const text = { stringValue: EVIL };
  const app = await monitorWith(
    {
      name: EVIL,
      status: { code: 2, message: EVIL },
      attributes: [{ key: EVIL, value: text }],
      events: [{ name: EVIL, timeUnixNano: "1795358880484000000", attributes: [{ key: "k", value: text }] }],
    },
    EVIL,
  );
  const query = encodeURIComponent(`"${EVIL}`);
  for (const path of [
    "/monitor/",
    `/monitor/?q=${query}&service=${query}`,
    `/monitor/traces/${TRACE_ID}`,
    `/monitor/traces/${query}`,
  ]) {
    const page = await (await app.request(path)).text();
    expect(page).toContain("&lt;script&gt;alert(");
    expect(page).not.toContain("<script>alert(");
    expect(page).not.toContain("<img src=x");
    expect(page.match(/<script/g)?.length ?? 0).toBeLessThanOrEqual(1);
  }
});

test("only the page's own script may run, and nobody may frame the page", async () => {
  const response = await (await monitorWith()).request("/monitor/");
  const policy = response.headers.get("content-security-policy") ?? "";
  const nonce = /script-src 'nonce-([0-9a-f-]{36})'/.exec(policy)?.[1];
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(await response.text()).toContain(`<script nonce="${nonce}">`);
});

test("a trace that is not kept is a 404, as a page and as a problem", async () => {
  const app = monitor();
  const page = await app.request(`/monitor/traces/${"a".repeat(32)}`);
  expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=UTF-8"]);
  const json = await app.request(`/monitor/api/traces/${"a".repeat(32)}`);
  expect([json.status, json.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
});

test.each(["limit=0", "limit=101", "limit=x", "error=maybe", "cursor=nonsense", `q=${"x".repeat(201)}`])(
  "the query %s is refused by name",
  async (query) => {
    const response = await monitor().request(`/monitor/api/traces?${query}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`\\"${query.split("=")[0]}\\"`);
  },
);

test("the list goes on at its next link, with the same filter", async () => {
  const app = monitor();
  for (const last of ["1", "2", "3"])
    await post(app, JSON.stringify(exportRequest({ traceId: `${TRACE_ID.slice(0, 31)}${last}` })));
  const first = await app.request("/monitor/api/traces?limit=2&service=orders");
  const link = first.headers.get("link")?.match(/^<(.+)>; rel="next"$/)?.[1] ?? "";
  expect(link).toContain("service=orders");
  const second = await app.request(link);
  expect(((await second.json()) as { items: unknown[] }).items.length).toBe(1);
  expect(second.headers.get("link")).toBeNull();
  expect(await (await app.request("/monitor/?limit=2&service=orders")).text()).toContain('rel="next"');
});

test("the form's empty fields are as good as none", async () => {
  const page = await (await (await monitorWith()).request("/monitor/?q=&service=&error=")).text();
  expect(page).toContain(TRACE_ID);
});

test("it is alive, and ready when its store answers", async () => {
  expect((await monitor().request("/healthz")).status).toBe(200);
  expect((await monitor().request("/readyz")).status).toBe(200);
  const storesAreAway = monitorApp({
    traces: { named: () => ({ add: fail, list: fail, read: fail }) },
    metrics: { named: () => ({ add: fail, list: fail }) },
  });
  expect((await storesAreAway.request("/readyz")).status).toBe(503);
});

const fail = () => Promise.reject(new Error("the store is away"));
