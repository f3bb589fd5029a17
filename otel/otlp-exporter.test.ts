import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { otlpExporter } from "./otlp-exporter.ts";
import { spanBuffer } from "./span-buffer.ts";

const spansNamed = (...names: string[]): ReadableSpan[] => {
  const buffer = spanBuffer({ capacity: names.length, clock: () => 0 });
  const tracer = new TracerProvider({ spanProcessors: [buffer.processor] }).getTracer("test");
  for (const name of names) tracer.startSpan(name).end();
  return buffer.take();
};

/** An exporter whose receiver gives these answers in turn, the last one for ever. */
const exporterAgainst = (...answers: (() => Response)[]) => {
  const waits: number[] = [];
  const bodies: string[] = [];
  const exportSpans = otlpExporter({
    send: async (request) => {
      bodies.push(await request.text());
      const answer = answers[Math.min(bodies.length, answers.length) - 1];
      if (!answer) throw new Error("no answer");
      return answer();
    },
    sleep: async (ms) => {
      waits.push(ms);
    },
    random: () => 0.5,
  });
  return { exportSpans, waits, bodies };
};

const answer =
  (status: number, headers: Record<string, string> = {}, body = "{}") =>
  () =>
    new Response(body, { status, headers });

test("spans leave in one request when they are few", async () => {
  const { exportSpans, bodies } = exporterAgainst(answer(200));
  expect(await exportSpans(spansNamed("a", "b"))).toEqual({ sent: 2, dropped: 0 });
  expect(bodies.length).toBe(1);
});

test("many spans leave in requests of at most 512", async () => {
  const { exportSpans, bodies } = exporterAgainst(answer(200));
  const spans = spansNamed(...Array.from({ length: 1_025 }, (_, index) => `s${index}`));
  expect((await exportSpans(spans)).sent).toBe(1_025);
  expect(bodies.map((body) => body.match(/"spanId"/g)?.length)).toEqual([512, 512, 1]);
});

test.each([429, 502, 503, 504])("%i is tried again with growing waits", async (status) => {
  const { exportSpans, waits } = exporterAgainst(answer(status), answer(status), answer(200));
  expect(await exportSpans(spansNamed("a"))).toEqual({ sent: 1, dropped: 0 });
  expect(waits).toEqual([500, 1_000]);
});

test.each([400, 413, 415, 500])("%i is final: the same spans would be refused again", async (status) => {
  const { exportSpans, bodies } = exporterAgainst(answer(status));
  expect(await exportSpans(spansNamed("a"))).toMatchObject({ sent: 0, dropped: 1 });
  expect(bodies.length).toBe(1);
});

test("Retry-After is kept to", async () => {
  const { exportSpans, waits } = exporterAgainst(answer(503, { "retry-after": "2" }), answer(200));
  await exportSpans(spansNamed("a"));
  expect(waits).toEqual([2_000]);
});

test("a Retry-After that no request can wait for drops the spans at once", async () => {
  const { exportSpans, bodies, waits } = exporterAgainst(answer(503, { "retry-after": "3600" }));
  expect(await exportSpans(spansNamed("a"))).toMatchObject({ dropped: 1 });
  expect([bodies.length, waits]).toEqual([1, []]);
});

test("a receiver that is away costs three attempts, whatever waits behind the first request", async () => {
  const { exportSpans, bodies } = exporterAgainst(() => {
    throw new Error("connection refused");
  });
  const spans = spansNamed(...Array.from({ length: 2_000 }, () => "s"));
  expect(await exportSpans(spans)).toEqual({
    sent: 0,
    dropped: 2_000,
    reason: "the receiver did not answer: Error: connection refused",
  });
  expect(bodies.length).toBe(3);
});

test("spans that a partial success refuses are counted and not sent again", async () => {
  const { exportSpans, bodies } = exporterAgainst(
    answer(200, {}, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too long"}}'),
  );
  expect(await exportSpans(spansNamed("a", "b"))).toMatchObject({ sent: 1, dropped: 1 });
  expect(bodies.length).toBe(1);
});
