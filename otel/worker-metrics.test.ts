import { metrics } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { afterEach, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { workerMetrics } from "./worker-metrics.ts";

interface SentMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly aggregationTemporality: number; readonly dataPoints: readonly SentPoint[] };
  readonly histogram?: { readonly aggregationTemporality: number; readonly dataPoints: readonly SentPoint[] };
}
interface SentPoint {
  readonly asDouble?: number;
  readonly count?: number;
  readonly explicitBounds?: readonly number[];
}
interface SentRequest {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly SentMetric[] }[];
  }[];
}

/** Metrics of an isolate whose receiver answers so; the last answer for ever. */
const isolate = (answer: () => Response = () => new Response("{}")) => {
  const sent: { url: string; body: SentRequest }[] = [];
  const telemetry = workerMetrics(resourceFromAttributes({ "service.name": "orders" }), {
    send: async (request) => {
      sent.push({ url: request.url, body: (await request.json()) as SentRequest });
      return answer();
    },
    sleep: async () => {},
    random: () => 0,
  });
  const metricsIn = (index: number): SentMetric[] =>
    (sent[index]?.body.resourceMetrics ?? []).flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((scope) => scope.metrics),
    );
  return { telemetry, sent, metricsIn };
};

afterEach(() => metrics.disable());

const DELTA = 1;

test("without anything recorded no request is made", async () => {
  const { telemetry, sent } = isolate();
  metrics.getMeter("test").createCounter("made.but.not.counted");
  expect(await telemetry.flush()).toEqual({ sent: 0, dropped: 0 });
  expect(sent).toEqual([]);
});

test("each request holds what was recorded since the one before, and nothing is asked for afterwards", async () => {
  const { telemetry, sent, metricsIn } = isolate();
  const counter = metrics.getMeter("test").createCounter("looks");
  counter.add(2);
  counter.add(1);
  expect(await telemetry.flush()).toEqual({ sent: 1, dropped: 0 });
  counter.add(4);
  await telemetry.flush();
  await telemetry.flush();
  expect(sent.map(({ url }) => new URL(url).pathname)).toEqual(["/v1/metrics", "/v1/metrics"]);
  expect([metricsIn(0), metricsIn(1)]).toMatchObject([
    [{ name: "looks", sum: { aggregationTemporality: DELTA, dataPoints: [{ asDouble: 3 }] } }],
    [{ name: "looks", sum: { aggregationTemporality: DELTA, dataPoints: [{ asDouble: 4 }] } }],
  ]);
});

test("the propagation of a change has buckets from 50 ms to a minute", async () => {
  const { telemetry, metricsIn } = isolate();
  metrics.getMeter("test").createHistogram("skerry.control.propagation", { unit: "s" }).record(0.42);
  await telemetry.flush();
  const histogram = metricsIn(0)[0]?.histogram;
  expect(histogram).toMatchObject({ aggregationTemporality: DELTA, dataPoints: [{ count: 1 }] });
  const bounds = histogram?.dataPoints[0]?.explicitBounds ?? [];
  expect([bounds.at(0), bounds.includes(1), bounds.at(-1)]).toEqual([0.05, true, 60]);
});

test("attributes that never repeat do not pile up", async () => {
  const { telemetry, metricsIn } = isolate();
  const counter = metrics.getMeter("test").createCounter("orders");
  for (let order = 0; order < 3 * LIMITS.metricSeriesPerIsolate; order++) counter.add(1, { order });
  await telemetry.flush();
  const points = metricsIn(0)[0]?.sum?.dataPoints ?? [];
  expect(points.length).toBeLessThanOrEqual(LIMITS.metricSeriesPerIsolate);
  expect(points.reduce((sum, { asDouble = 0 }) => sum + asDouble, 0)).toBe(3 * LIMITS.metricSeriesPerIsolate);
});

test("what the receiver refuses is counted as lost", async () => {
  const { telemetry } = isolate(() =>
    Response.json({ partialSuccess: { rejectedDataPoints: "1", errorMessage: "cumulative" } }),
  );
  metrics.getMeter("test").createCounter("looks").add(1);
  expect(await telemetry.flush()).toMatchObject({ sent: 0, dropped: 1 });
});

test("a receiver that is away does not reject", async () => {
  const { telemetry, sent } = isolate(() => new Response(null, { status: 503 }));
  metrics.getMeter("test").createCounter("looks").add(1);
  expect(await telemetry.flush()).toEqual({
    sent: 0,
    dropped: 1,
    reason: "the receiver answered 503",
  });
  expect(sent.length).toBe(3);
});
