import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, expect, it } from "vitest";
import { countLoads } from "./snapshot-metrics.ts";

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
const provider = new MeterProvider({ readers: [reader] });

beforeAll(() => void metrics.setGlobalMeterProvider(provider));
afterAll(async () => {
  metrics.disable();
  await provider.shutdown();
});

const counted = async (): Promise<Record<string, number>> => {
  exporter.reset();
  await reader.forceFlush();
  const points = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    .find(({ descriptor }) => descriptor.name === "skerry.aggregate.loads")?.dataPoints;
  return Object.fromEntries(
    (points ?? []).map(({ attributes, value }) => [
      String(attributes["skerry.aggregate.from"]),
      Number(value),
    ]),
  );
};

it("counts each load by where it came from, and what memory served with the next of them or a hundred at once", async () => {
  const { hit, loaded } = countLoads();
  const folded = {};
  for (let n = 0; n < 30; n++) expect(hit(folded)).toBe(folded);
  expect(await counted()).toEqual({});
  expect(loaded("snapshot", folded)).toBe(folded);
  expect(await counted()).toEqual({ memory: 30, snapshot: 1 });
  for (let n = 0; n < 101; n++) hit(folded);
  loaded("history", folded);
  expect(await counted()).toEqual({ memory: 131, snapshot: 1, history: 1 });
});
