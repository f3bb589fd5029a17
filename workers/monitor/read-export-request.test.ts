import fc from "fast-check";
import { expect, test } from "vitest";
import { readExportRequest } from "./read-export-request.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = {
  traceId: TRACE_ID,
  spanId: "b7ad6b7169203331",
  name: "POST /orders",
  kind: 2,
  startTimeUnixNano: "1795358880484123456",
  endTimeUnixNano: "1795358880485000000",
};

const requestOf = (...spans: unknown[]) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
      scopeSpans: [{ spans }],
    },
  ],
});

const read = (body: unknown) => {
  const result = readExportRequest(body);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

const readOne = (overrides: object) => {
  const [span] = read(requestOf({ ...SPAN, ...overrides })).spans;
  if (!span) throw new Error("The span was rejected");
  return span;
};

test("a span is read with its resource's service and its times in microseconds", () => {
  expect(readOne({})).toMatchObject({
    traceId: TRACE_ID,
    spanId: "b7ad6b7169203331",
    parentSpanId: null,
    service: "orders",
    name: "POST /orders",
    kind: "server",
    startUs: 1_795_358_880_484_123,
    endUs: 1_795_358_880_485_000,
    status: "unset",
  });
});

test("what proto3 JSON allows is understood: names of enums, numbers as text, upper-case ids, null as absent", () => {
  const span = readOne({
    traceId: TRACE_ID.toUpperCase(),
    kind: "SPAN_KIND_CONSUMER",
    status: { code: "STATUS_CODE_ERROR", message: "declined" },
    parentSpanId: "",
    attributes: null,
    events: null,
  });
  expect(span).toMatchObject({ traceId: TRACE_ID, kind: "consumer", status: "error", parentSpanId: null });
  expect(span.detail.statusMessage).toBe("declined");
});

test("every kind of attribute value becomes something that a page can show", () => {
  const attributes = [
    { key: "text", value: { stringValue: "a" } },
    { key: "flag", value: { boolValue: false } },
    { key: "count", value: { intValue: "42" } },
    { key: "large", value: { intValue: "9223372036854775807" } },
    { key: "ratio", value: { doubleValue: 0.5 } },
    { key: "list", value: { arrayValue: { values: [{ intValue: 1 }, { stringValue: "b" }] } } },
    { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { boolValue: true } }] } } },
    { key: "empty", value: {} },
  ];
  expect(readOne({ attributes }).detail.attributes).toEqual({
    text: "a",
    flag: false,
    count: 42,
    large: "9223372036854775807",
    ratio: 0.5,
    list: '[1,"b"]',
    map: '{"k":true}',
    empty: null,
  });
});

test("the key __proto__ is an attribute like any other", () => {
  const { attributes } = readOne({ attributes: [{ key: "__proto__", value: { stringValue: "x" } }] }).detail;
  expect(Object.entries(attributes)).toEqual([["__proto__", "x"]]);
});

test.each([
  ["no trace id", { traceId: undefined }],
  ["a trace id of zeros", { traceId: "0".repeat(32) }],
  ["a trace id of another length", { traceId: "abc" }],
  ["a span id that is not hexadecimal", { spanId: "zzzzzzzzzzzzzzzz" }],
  ["no start", { startTimeUnixNano: undefined }],
  ["an unknown start", { startTimeUnixNano: "0" }],
  ["a negative end", { endTimeUnixNano: "-1" }],
  ["a start in the year 5138", { startTimeUnixNano: "99999999999999999999" }],
])("a span with %s is rejected and counted, its neighbours are not", (_, overrides) => {
  const result = read(requestOf({ ...SPAN, ...overrides }, SPAN));
  expect([result.spans.length, result.rejected]).toEqual([1, 1]);
});

test("an end before the start counts as no time at all", () => {
  expect(readOne({ endTimeUnixNano: "1000" })).toMatchObject({ endUs: 1_795_358_880_484_123 });
});

test("a span that says too much keeps its place and loses what it said", () => {
  const attributes = Array.from({ length: 64 }, (_, index) => ({
    key: `k${index}`,
    value: { stringValue: "x".repeat(4_000) },
  }));
  expect(readOne({ attributes }).detail.attributes).toEqual({ "skerry.detail.dropped": true });
});

test("halves of surrogate pairs and NUL do not reach the store", () => {
  expect(readOne({ name: "a\0b\ud800c" }).name).toBe("ab\ufffdc");
});

test.each([null, [], "text", 7, { resourceSpans: {} }, { resourceSpans: "none" }])(
  "%j is no export request",
  (body) => {
    expect(readExportRequest(body).ok).toBe(false);
  },
);

test("an empty request is a valid one", () => {
  expect([read({}), read({ resourceSpans: [] })]).toEqual([
    { spans: [], rejected: 0 },
    { spans: [], rejected: 0 },
  ]);
});

/** JSON of the right outline with anything in the places of values. */
const anythingLikeSpans = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue(),
    fc.constantFrom(SPAN, TRACE_ID, "1795358880484123456"),
    tie("object"),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      "resourceSpans",
      "resource",
      "scopeSpans",
      "spans",
      "attributes",
      "events",
      "links",
      "status",
      "key",
      "value",
      "arrayValue",
      "values",
      "kvlistValue",
      "intValue",
      "stringValue",
      "__proto__",
      ...Object.keys(SPAN),
    ),
    fc.oneof(tie("value"), fc.array(tie("value"), { maxLength: 3 })),
  ),
})).object;

test("whatever is sent, reading ends in spans, rejections or a refusal, never in a throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), anythingLikeSpans), (body) => {
      const result = readExportRequest(body);
      if (!result.ok) expect(result.error).toContain("Reading the export request");
      else for (const span of result.value.spans) expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever stands in one field of a span, the span is stored or rejected", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("parentSpanId", "attributes", "events", "links", "status", ...Object.keys(SPAN)),
      fc.oneof(fc.jsonValue(), fc.array(anythingLikeSpans, { maxLength: 3 })),
      (field, value) => {
        const { spans, rejected } = read(requestOf({ ...SPAN, [field]: value }));
        expect(spans.length + rejected).toBe(1);
      },
    ),
    { numRuns: 1_000 },
  );
});
