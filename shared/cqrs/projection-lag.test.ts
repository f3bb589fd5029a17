import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, expect, it } from "vitest";
import { appendCommits, countingProjection } from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";

const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
const provider = new MeterProvider({ readers: [reader] });

beforeAll(() => void metrics.setGlobalMeterProvider(provider));
afterAll(async () => {
  metrics.disable();
  await provider.shutdown();
});

it("a projection tells how long its rows took, and how many commits they lack, under its name", async () => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, 3);
  const { projection, time } = testProjectors({ projection: countingProjection, log, store: memory.store });
  await projection.wake({});
  await time.pass(100);
  memory.around = () => Promise.reject(new Error("database is away"));
  await appendCommits(log, 2);
  await projection.details({});
  await reader.forceFlush();
  const found = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
  const pointsOf = (name: string) => found.find(({ descriptor }) => descriptor.name === name)?.dataPoints;
  const attributes = { "skerry.projection": "numbers" };
  // The commits were written at the epoch's beginning.
  const seconds = Math.floor(time.clock() / 1_000);
  expect(pointsOf("skerry.projection.lag")).toMatchObject([{ attributes, value: { count: 1 } }]);
  expect(pointsOf("skerry.projection.lag")?.[0]?.value).toMatchObject({
    sum: expect.closeTo(seconds, -1),
  });
  expect(pointsOf("skerry.projection.behind")).toMatchObject([{ attributes, value: 2 }]);
});
