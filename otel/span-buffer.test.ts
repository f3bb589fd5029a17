import { TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { spanBuffer } from "./span-buffer.ts";

const bufferUnderTest = (capacity: number) => {
  let now = 0;
  const buffer = spanBuffer({ capacity, clock: () => now });
  const tracer = new TracerProvider({ spanProcessors: [buffer.processor] }).getTracer("test");
  return {
    buffer,
    tracer,
    advance: (ms: number) => {
      now += ms;
    },
  };
};

test("it keeps the first spans up to its capacity and counts the others", () => {
  const { buffer, tracer } = bufferUnderTest(3);
  for (const name of ["a", "b", "c", "d", "e"]) tracer.startSpan(name).end();
  expect(buffer.take().map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(buffer.takeOverflow()).toBe(2);
});

test("taking empties it, so that nothing is sent twice", () => {
  const { buffer, tracer } = bufferUnderTest(1);
  tracer.startSpan("a").end();
  buffer.take();
  tracer.startSpan("b").end();
  expect(buffer.take().map(({ name }) => name)).toEqual(["b"]);
  expect([buffer.take(), buffer.takeOverflow()]).toEqual([[], 0]);
});

test("it expects more while a span is open", () => {
  const { buffer, tracer } = bufferUnderTest(10);
  const span = tracer.startSpan("open");
  expect(buffer.expectsMore()).toBe(true);
  span.end();
  buffer.take();
  expect(buffer.expectsMore()).toBe(false);
});

test("it stops expecting the end of a span whose request was cancelled", () => {
  const { buffer, tracer, advance } = bufferUnderTest(10);
  tracer.startSpan("cancelled");
  advance(30_000);
  expect(buffer.expectsMore()).toBe(false);
});

test("spans that never end do not pile up in memory", () => {
  const { buffer, tracer } = bufferUnderTest(2);
  const first = tracer.startSpan("first");
  const second = tracer.startSpan("second");
  const third = tracer.startSpan("third");
  second.end();
  third.end();
  buffer.take();
  expect(buffer.expectsMore()).toBe(false);
  first.end();
  expect(buffer.take().map(({ name }) => name)).toEqual(["first"]);
});
