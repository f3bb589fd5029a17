import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { injectTrace, withTrace } from "./propagation.ts";
import { recordSpans } from "./record-spans.ts";
import { inSpan } from "./span.ts";

const spans = recordSpans();

test("the work's value comes back and its span has ended", async () => {
  const value = await inSpan(
    "load",
    { kind: "consumer", attributes: { "order.id": "o-1" } },
    async (span) => {
      span.setAttribute("lines", 2);
      return 42;
    },
  );
  const [span] = spans.take();
  expect(value).toBe(42);
  expect(span?.kind).toBe(SpanKind.CONSUMER);
  expect(span?.attributes).toEqual({ "order.id": "o-1", lines: 2 });
  expect(span?.status.code).toBe(SpanStatusCode.UNSET);
});

test("spans inside are children, also after an await", async () => {
  await inSpan("outer", {}, async () => {
    await Promise.resolve();
    await inSpan("inner", {}, async () => {});
  });
  const [inner, outer] = spans.take();
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
});

test("a rejection is recorded and passed on as it is", async () => {
  const failure = new RangeError("too far");
  await expect(inSpan("fails", {}, () => Promise.reject(failure))).rejects.toBe(failure);
  const [span] = spans.take();
  expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: "too far" });
  expect(span?.attributes["error.type"]).toBe("RangeError");
  expect(span?.events.map(({ name }) => name)).toEqual(["exception"]);
});

test("what is thrown before the first await ends the span as well", async () => {
  const throwsAtOnce = (): Promise<void> => {
    throw "a string";
  };
  await expect(inSpan("fails", {}, throwsAtOnce)).rejects.toBe("a string");
  expect(spans.take()[0]?.status.message).toBe("a string");
});

test("two works at once each see their own span", async () => {
  const seen = (name: string) =>
    inSpan(name, {}, async (span) => {
      await Promise.resolve();
      return trace.getActiveSpan() === span;
    });
  expect(await Promise.all([seen("a"), seen("b")])).toEqual([true, true]);
});

test("in a trace that nobody records no span is made, and the trace goes on", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  spans.take();
  const onward = await withTrace({ traceparent }, () => inSpan("load", {}, async () => injectTrace()));
  expect(onward).toEqual({ traceparent });
  expect(spans.take()).toEqual([]);
});
