import { trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { injectTrace, withTrace } from "./propagation.ts";
import { recordSpans } from "./record-spans.ts";
import { inSpan } from "./span.ts";

const spans = recordSpans();
const CARRIER = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=value",
};

test("outside of any trace there is nothing to carry", () => {
  expect(injectTrace()).toEqual({});
});

test("a carried trace goes on where it is taken up", async () => {
  const carried = await withTrace(CARRIER, () => inSpan("continues", {}, async () => injectTrace()));
  const [span] = spans.take();
  expect(span?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(carried).toEqual({
    traceparent: `00-0af7651916cd43dd8448eb211c80319c-${span?.spanContext().spanId}-01`,
    tracestate: "vendor=value",
  });
});

test.each([{}, { traceparent: "nonsense" }, { traceparent: `00-${"0".repeat(32)}-${"0".repeat(16)}-01` }])(
  "the carrier %j leads outside of any trace, not into the caller's",
  async (carrier) => {
    const active = await inSpan("caller", {}, async () => withTrace(carrier, () => trace.getActiveSpan()));
    expect(active).toBeUndefined();
  },
);
