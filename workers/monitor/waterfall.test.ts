import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredSpan } from "./stored-span.ts";
import { waterfallOf } from "./waterfall.ts";

const span = (
  spanId: string,
  parentSpanId: string | null,
  times: [startUs: number, endUs: number],
  service = "a",
) =>
  ({
    traceId: "t",
    spanId,
    parentSpanId,
    service,
    name: spanId,
    kind: "internal",
    startUs: times[0],
    endUs: times[1],
    status: "unset",
    detail: { attributes: {}, events: [], links: [], resource: {} },
  }) satisfies StoredSpan;

const drawn = (spans: StoredSpan[]) =>
  waterfallOf(spans).rows.map(({ span, depth, startOffsetUs }) => `${span.spanId}${depth}@${startOffsetUs}`);

test("children follow their parent, by start, each one level deeper", () => {
  const spans = [
    span("d", "a", [300, 400]),
    span("c", "b", [120, 130]),
    span("a", null, [100, 500]),
    span("b", "a", [110, 200]),
  ];
  expect(drawn(spans)).toEqual(["a0@0", "b1@10", "c2@20", "d1@200"]);
  expect(waterfallOf(spans).durationUs).toBe(400);
});

test("a span whose parent has not come is shown, and marked", () => {
  const { rows } = waterfallOf([span("a", null, [100, 500]), span("x", "lost", [200, 300])]);
  expect(rows.map((row) => [row.span.spanId, row.depth, row.orphan])).toEqual([
    ["a", 0, false],
    ["x", 0, true],
  ]);
});

test("the first span of a trace that a client began is its root, the next without a parent is not", () => {
  const { rows } = waterfallOf([span("b", "lost", [300, 400]), span("a", "client", [100, 200])]);
  expect(rows.map((row) => [row.span.spanId, row.orphan])).toEqual([
    ["a", false],
    ["b", true],
  ]);
});

test("work that outlives its parent widens the axis", () => {
  const waterfall = waterfallOf([span("a", null, [100, 200]), span("b", "a", [150, 900])]);
  expect(waterfall.durationUs).toBe(800);
});

test("a clock that runs behind is corrected for the span and its own service's children, not for others", () => {
  const spans = [
    span("a", null, [1_000, 2_000], "gateway"),
    span("b", "a", [400, 900], "orders"),
    span("c", "b", [500, 600], "orders"),
    span("d", "b", [1_200, 1_300], "payments"),
  ];
  expect(drawn(spans)).toEqual(["a0@0", "b1@0", "c2@100", "d2@200"]);
});

test("spans that name each other as parents are all shown", () => {
  const rows = drawn([span("a", "b", [100, 200]), span("b", "a", [110, 190]), span("c", "c", [120, 130])]);
  expect(rows).toEqual(["a0@0", "b1@10", "c0@20"]);
});

test("a chain of thousands is no deeper for the machine than for the eye", () => {
  const chain = Array.from({ length: 20_000 }, (_, index) =>
    span(`${index}`, index === 0 ? null : `${index - 1}`, [index + 1, index + 2]),
  );
  expect(waterfallOf(chain).rows.at(-1)?.depth).toBe(19_999);
});

test("whatever parents and times say, every span has one row that lies on the axis", () => {
  const anySpan = fc
    .record({
      parent: fc.option(fc.integer({ min: 0, max: 12 })),
      start: fc.nat(1e6),
      took: fc.nat(1e5),
      service: fc.nat(3),
    })
    .map(({ parent, start, took, service }) => ({
      parent,
      times: [start + 1, start + 1 + took] as [number, number],
      service,
    }));
  fc.assert(
    fc.property(fc.array(anySpan, { minLength: 1, maxLength: 12 }), (generated) => {
      const spans = generated.map(({ parent, times, service }, index) =>
        span(`${index}`, parent === null ? null : `${parent}`, times, `s${service}`),
      );
      const { rows, durationUs } = waterfallOf(spans);
      expect(rows.map((row) => row.span.spanId).sort()).toEqual(spans.map(({ spanId }) => spanId).sort());
      for (const row of rows) {
        expect(row.startOffsetUs).toBeGreaterThanOrEqual(0);
        expect(row.startOffsetUs + row.durationUs).toBeLessThanOrEqual(durationUs);
      }
    }),
  );
});
