import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { expect, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import type { Changes } from "./changes.ts";
import { controlLink } from "./link.ts";

test("the histogram has the seconds from publishing to knowing, of changes that came to a busy isolate", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const { clock, sleep, pass, settle } = virtualTime(50_000);
  const published: (Changes | undefined)[] = [
    { epoch: 1, changedAt: 10_000, services: [], whole: true },
    { epoch: 2, changedAt: 50_600, services: [], whole: false },
    undefined,
    // The control plane's clock is ahead.
    { epoch: 3, changedAt: 99_000, services: [], whole: false },
  ];
  const afterQuiet: Changes = { epoch: 4, changedAt: 100_000, services: [], whole: false };
  const answers = [...published, afterQuiet].values();
  const look = async () => answers.next().value;
  const link = controlLink({ service: "orders", profile: "default", isolate: "i", look, clock, sleep });
  for (const _ of published) {
    link.lookSoon(() => undefined);
    await settle();
    await pass(1_000);
  }
  // Then nobody asks for a while, and nobody misses the change.
  await pass(600_000);
  link.lookSoon(() => undefined);
  await settle();
  expect(link.epoch()).toBe(4);
  await reader.forceFlush();
  const [metric] = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  expect(metric?.descriptor).toMatchObject({ name: "skerry.control.propagation", unit: "s" });
  expect(metric?.dataPoints[0]?.value).toMatchObject({ count: 2, sum: 0.4, min: 0 });
  await reader.shutdown();
});
