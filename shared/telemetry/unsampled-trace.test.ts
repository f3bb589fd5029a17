import { isSpanContextValid, TraceFlags, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { unsampledTrace } from "./unsampled-trace.ts";

test("each is valid, not sampled, and another one than those before it", () => {
  const spans = Array.from({ length: 1_000 }, () => trace.getSpan(unsampledTrace())?.spanContext());
  expect(new Set(spans.map((span) => span?.traceId)).size).toBe(1_000);
  for (const span of spans) {
    expect(span && isSpanContextValid(span)).toBe(true);
    expect(span?.traceFlags).toBe(TraceFlags.NONE);
  }
});
