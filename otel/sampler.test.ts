import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { rateLimitedSampler } from "./sampler.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

const samplerAt = (start: number) => {
  let now = start;
  const sampler = rateLimitedSampler({ perSecond: 20, burst: 50, clock: () => now });
  const sampled = (parent = ROOT_CONTEXT, path = "/orders/v1/orders") =>
    sampler.shouldSample(parent, TRACE_ID, "x", SpanKind.SERVER, { "url.path": path }, []).decision ===
    SamplingDecision.RECORD_AND_SAMPLED;
  return {
    sampled,
    startsTrace: sampler.startsTrace,
    advance: (ms: number) => {
      now += ms;
    },
    count: (attempts: number) => Array.from({ length: attempts }, () => sampled()).filter(Boolean).length,
  };
};

const childOf = (traceFlags: TraceFlags) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: TRACE_ID,
    spanId: "b7ad6b7169203331",
    traceFlags,
    isRemote: true,
  });

test("a single trace after a quiet time is always recorded", () => {
  const sampler = samplerAt(0);
  sampler.count(1_000);
  sampler.advance(1_000);
  expect(sampler.sampled()).toBe(true);
});

test("a flood records the burst and then the rate", () => {
  const sampler = samplerAt(0);
  expect(sampler.count(1_000)).toBe(50);
  sampler.advance(1_000);
  expect(sampler.count(1_000)).toBe(20);
});

test("a long quiet time saves up no more than one burst", () => {
  const sampler = samplerAt(0);
  sampler.count(1_000);
  sampler.advance(3_600_000);
  expect(sampler.count(1_000)).toBe(50);
});

test("a clock that runs backwards gives no tokens and takes none", () => {
  const sampler = samplerAt(10_000);
  sampler.count(49);
  sampler.advance(-5_000);
  expect(sampler.count(10)).toBe(1);
});

test.each(["/healthz", "/readyz", "/monitor/", "/monitor/api/traces"])(
  "asking for %s starts no trace, unless the caller traces it",
  (path) => {
    const sampler = samplerAt(0);
    expect(sampler.sampled(ROOT_CONTEXT, path)).toBe(false);
    expect(sampler.sampled(childOf(TraceFlags.SAMPLED), path)).toBe(true);
    expect(sampler.count(1_000)).toBe(50);
  },
);

test("the parent's decision stands, however many traces there are", () => {
  const sampler = samplerAt(0);
  expect(sampler.sampled(childOf(TraceFlags.NONE))).toBe(false);
  sampler.count(1_000);
  expect(sampler.sampled(childOf(TraceFlags.SAMPLED))).toBe(true);
});

test("a trace that is promised is recorded, and paid for once", () => {
  const sampler = samplerAt(0);
  for (let trace = 0; trace < 50; trace++) {
    expect(sampler.startsTrace("/orders/v1/orders")).toBe(true);
    expect(sampler.sampled()).toBe(true);
  }
  expect(sampler.startsTrace("/orders/v1/orders")).toBe(false);
  expect(sampler.sampled()).toBe(false);
});
