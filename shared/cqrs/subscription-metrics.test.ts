import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterAll, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { err, ok } from "../result.ts";
import { processActor } from "./process-actor.ts";

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
const provider = new MeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(provider);
afterAll(async () => {
  await provider.shutdown();
  metrics.disable();
});

const recorded = async () => {
  await provider.forceFlush();
  const last = exporter.getMetrics().at(-1);
  const all = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  return (name: string) => all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
};

it("each attempt of a process counts with its duration and what went wrong, each event with its lag, and the log's rest", async () => {
  const context = testActorContext();
  const { time } = context;
  const log = memoryEventLog(time.clock);
  const write = (id: string) =>
    log.append({
      aggregate: { type: "order", id },
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: id,
      at: time.clock(),
      events: [{ type: "Happened", data: {} }],
      trace: {},
    });
  await write("a");
  let attempts = 0;
  const actor = processActor({
    context,
    process: {
      name: "ship",
      source: "orders",
      handles: ["Happened"],
      async handle() {
        await context.sleep(250);
        return ++attempts === 1 ? err({ code: "conflict", detail: "once" }) : ok(null);
      },
    },
    log,
    clock: time.clock,
    random: () => 1,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  await time.pass(1_000);
  await actor.methods.wake({});
  await time.pass(2_000);
  await actor.methods.pause({});
  await write("b");
  await actor.methods.details({});

  const find = await recorded();
  const common = {
    "messaging.system": "nats",
    "messaging.destination.name": "log-orders",
    "messaging.consumer.group.name": "ship",
  };
  const operation = { "messaging.operation.name": "process", "messaging.operation.type": "process" };
  expect(find("messaging.process.duration")).toMatchObject([
    { attributes: { ...common, ...operation, "error.type": "conflict" }, value: { count: 1, sum: 0.25 } },
    { attributes: { ...common, ...operation }, value: { count: 1, sum: 0.25 } },
  ]);
  // A second until it was woken, two attempts, the pause between them.
  expect(find("skerry.subscription.lag")).toMatchObject([
    { attributes: common, value: { count: 1, sum: 1.6 } },
  ]);
  expect(find("skerry.subscription.behind")).toMatchObject([{ attributes: common, value: 1 }]);
});
