/** Metrics on their way through the monitor: from the workers' own sender to the table that people see. */
import { DatabaseSync } from "node:sqlite";
import { metrics } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { afterEach, describe, expect, test } from "vitest";
import { workerMetrics } from "#otel/worker-metrics.ts";
import { metricStore } from "./metric-store.ts";
import { monitorApp } from "./routes.ts";
import { traceStore } from "./trace-store.ts";

afterEach(() => metrics.disable());

const monitor = (seriesMax?: number) => {
  const database = new DatabaseSync(":memory:");
  const sql = {
    exec: (statement: string, ...params: unknown[]) =>
      database.prepare(statement).all(...(params as string[])) as never,
    transaction: <T>(work: () => T) => work(),
  };
  let now = Date.parse("2026-11-22T14:48:00Z");
  const { methods: traces } = traceStore({ sql });
  const { methods: kept } = metricStore({ sql, clock: () => now, ...(seriesMax && { seriesMax }) });
  const app = monitorApp({ traces: { named: () => traces }, metrics: { named: () => kept } });
  const post = (body: unknown) =>
    app.request("/v1/metrics", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const items = async () => {
    const answer = await app.request("/monitor/metrics");
    return ((await answer.json()) as { items: Record<string, unknown>[] }).items;
  };
  /** Sends what an isolate of this service has recorded by `record`. */
  const isolate = async (service: string, record: () => void) => {
    const sender = workerMetrics(resourceFromAttributes({ "service.name": service }), {
      send: async (request) => app.fetch(request),
      sleep: async () => {},
      random: () => 0,
    });
    record();
    const outcome = await sender.flush();
    metrics.disable();
    return outcome;
  };
  return { app, post, items, isolate, pass: (ms: number) => (now += ms) };
};

const counting =
  (name: string, by: number, attributes = {}) =>
  () =>
    metrics.getMeter("test").createCounter(name).add(by, attributes);

const spreading =
  (...seconds: number[]) =>
  () => {
    const histogram = metrics.getMeter("test").createHistogram("skerry.control.propagation", { unit: "s" });
    for (const one of seconds) histogram.record(one);
  };

const requestOf = (metric: object) => ({
  resourceMetrics: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
      scopeMetrics: [{ metrics: [metric] }],
    },
  ],
});

const DELTA = { aggregationTemporality: 1 };
const HISTOGRAM = { count: "3", sum: 6, bucketCounts: ["1", "2", "0"], explicitBounds: [1, 2] };
const histogramOf = (point: object, temporality: object = DELTA) =>
  requestOf({ name: "h", histogram: { ...temporality, dataPoints: [{ ...HISTOGRAM, ...point }] } });

test("what two isolates of a service recorded is one series", async () => {
  const { isolate, items } = monitor();
  expect(await isolate("orders", counting("looks", 2))).toEqual({ sent: 1, dropped: 0 });
  await isolate("orders", counting("looks", 3));
  await isolate("gateway", counting("looks", 10));
  expect(await items()).toEqual([
    {
      service: "gateway",
      metric: "looks",
      unit: "",
      attributes: {},
      kind: "sum",
      sum: 10,
      lastSeen: "2026-11-22T14:48:00.000Z",
    },
    expect.objectContaining({ service: "orders", sum: 5 }),
  ]);
});

test("histograms add up, and tell quantiles from their buckets", async () => {
  const { isolate, items } = monitor();
  await isolate("orders", spreading(...Array.from({ length: 98 }, () => 0.4)));
  await isolate("orders", spreading(0.4, 4));
  const [series] = await items();
  expect(series).toMatchObject({ unit: "s", kind: "histogram", count: 100, min: 0.4, max: 4 });
  expect(series?.sum).toBeCloseTo(43.6, 6);
  const { p50, p95, p99 } = series as Record<"p50" | "p95" | "p99", number>;
  expect([p50, p95, p99].every((value) => value >= 0.4 && value <= 0.5)).toBe(true);
  const buckets = series?.buckets as { le: number | null; count: number }[];
  expect(buckets.filter(({ count }) => count > 0)).toEqual([
    { le: 0.5, count: 99 },
    { le: 5, count: 1 },
  ]);
  expect(buckets.at(-1)?.le).toBeNull();
});

test("attributes tell series apart, in whatever order they come", async () => {
  const { isolate, items } = monitor();
  await isolate("orders", counting("looks", 1, { a: "1", b: "2" }));
  await isolate("orders", counting("looks", 1, { b: "2", a: "1" }));
  await isolate("orders", counting("looks", 1, { a: "other", b: "2" }));
  expect((await items()).map(({ attributes, sum }) => [attributes, sum])).toEqual([
    [{ a: "1", b: "2" }, 2],
    [{ a: "other", b: "2" }, 1],
  ]);
});

test("a histogram with new bounds is a series of its own", async () => {
  const { post, items } = monitor();
  await post(histogramOf({}));
  await post(histogramOf({ explicitBounds: [1, 3] }));
  expect((await items()).map(({ count }) => count)).toEqual([3, 3]);
});

test("a gauge shows its last value", async () => {
  const { post, items } = monitor();
  for (const asDouble of [7, 3]) await post(requestOf({ name: "g", gauge: { dataPoints: [{ asDouble }] } }));
  expect(await items()).toMatchObject([{ kind: "gauge", last: 3 }]);
});

test("64-bit numbers as text, and names of enums, are understood", async () => {
  const { post, items } = monitor();
  const aggregationTemporality = "AGGREGATION_TEMPORALITY_DELTA";
  await post(requestOf({ name: "s", sum: { aggregationTemporality, dataPoints: [{ asInt: "41" }] } }));
  expect(await items()).toMatchObject([{ sum: 41 }]);
});

test("more series than are kept: what was not seen longest leaves", async () => {
  const { isolate, items, pass } = monitor(2);
  await isolate("orders", counting("first", 1));
  pass(1);
  await isolate("orders", counting("second", 1));
  pass(1);
  await isolate("orders", counting("first", 1));
  pass(1);
  await isolate("orders", counting("third", 1));
  expect((await items()).map(({ metric }) => metric)).toEqual(["first", "third"]);
});

describe("what cannot be added up is told as a partial success, and nothing of it is kept:", () => {
  test.each([
    ["running totals", histogramOf({}, { aggregationTemporality: 2 })],
    ["no temporality", histogramOf({}, {})],
    ["a summary", requestOf({ name: "x", summary: { dataPoints: [{}] } })],
    [
      "an exponential histogram",
      requestOf({ name: "x", exponentialHistogram: { ...DELTA, dataPoints: [{}] } }),
    ],
    ["no name", requestOf({ sum: { ...DELTA, dataPoints: [{ asInt: 1 }] } })],
    ["no number", requestOf({ name: "x", sum: { ...DELTA, dataPoints: [{}] } })],
    ["a number that is none", requestOf({ name: "x", sum: { ...DELTA, dataPoints: [{ asDouble: "NaN" }] } })],
    ["bounds that do not ascend", histogramOf({ explicitBounds: [2, 1] })],
    ["counts that are no bucket's", histogramOf({ bucketCounts: ["3"] })],
    ["counts that do not sum up", histogramOf({ count: "4" })],
    ["counts below nothing", histogramOf({ bucketCounts: ["5", "-2", "0"] })],
    ["too many bounds", histogramOf({ explicitBounds: Array.from({ length: 300 }, (_, i) => i) })],
    [
      "attributes that are no names",
      histogramOf({
        attributes: ["a", "b"].map((key) => ({ key, value: { stringValue: "x".repeat(4_000) } })),
      }),
    ],
  ])("%s", async (_, body) => {
    const { post, items } = monitor();
    const response = await post(body);
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { partialSuccess: { rejectedDataPoints: "1" } },
    ]);
    expect(await items()).toEqual([]);
  });
});

test.each([
  ["no object", []],
  ["no list", { resourceMetrics: {} }],
])("%s is refused with 400 and a reason", async (_, body) => {
  const response = await monitor().post(body);
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { message: expect.stringMatching(/^Reading the export request/) },
  ]);
});

test("a browser sees a table, and whatever a sender says stays text", async () => {
  const { app, isolate } = monitor();
  const evil = `<script>alert("1")</script>`;
  await isolate(evil, spreading(0.4));
  await isolate("orders", counting("looks", 1_204, { [evil]: evil }));
  const response = await app.request("/monitor/metrics", { headers: { accept: "text/html,*/*;q=0.8" } });
  const page = (await response.text()).replaceAll("<wbr/>", "");
  expect(response.headers.get("vary")).toBe("accept");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  for (const text of ["skerry.control.propagation", "0.4", "1,204", "14:48:00.000"])
    expect(page).toContain(text);
  expect(page).toContain("&lt;script&gt;");
  expect(page).not.toContain("<script");
});
