import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { StoredSpan } from "./stored-span.ts";
import { type TraceStoreBounds, traceStore } from "./trace-store.ts";

const memorySql = (): ActorSql => {
  const database = new DatabaseSync(":memory:");
  return {
    exec: (statement, ...params) => database.prepare(statement).all(...(params as string[])) as never,
    transaction: (work) => {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
};

const storeBoundedBy = (bounds: Partial<TraceStoreBounds> = {}) =>
  traceStore({ sql: memorySql() }, { traces: 100, spans: 10_000, spansPerTrace: 1_000, ...bounds }).methods;

const traceIdOf = (trace: number): string => trace.toString(16).padStart(32, "0");

const span = (trace: number, id: number, overrides: Partial<StoredSpan> = {}): StoredSpan => ({
  traceId: traceIdOf(trace),
  spanId: id.toString(16).padStart(16, "0"),
  parentSpanId: id === 1 ? null : "0000000000000001",
  service: "orders",
  name: `span ${id}`,
  kind: "server",
  startUs: 1_000_000 * trace + id,
  endUs: 1_000_000 * trace + id + 500,
  status: "unset",
  detail: { attributes: {}, events: [], links: [], resource: {} },
  ...overrides,
});

const withAttribute = (value: string): Partial<StoredSpan> => ({
  detail: { attributes: { "order.id": value }, events: [], links: [], resource: {} },
});

const tracesOf = async (store: ReturnType<typeof storeBoundedBy>, filter = {}) =>
  (await store.list({ limit: 100, ...filter })).traces.map(({ traceId }) => Number.parseInt(traceId, 16));

test("a trace is summarised over all its spans, in whatever order they came", async () => {
  const store = storeBoundedBy();
  await store.add([span(1, 3, { service: "payments", status: "error" })]);
  await store.add([span(1, 2, { service: "inventory" })]);
  await store.add([span(1, 1, { service: "gateway", name: "POST /orders" })]);
  expect((await store.list({ limit: 10 })).traces).toEqual([
    {
      traceId: traceIdOf(1),
      startUs: 1_000_001,
      endUs: 1_000_503,
      rootName: "POST /orders",
      rootService: "gateway",
      services: ["gateway", "inventory", "payments"],
      spanCount: 3,
      errorCount: 1,
    },
  ]);
});

test("a trace that the client began is named after the span below the client's, also when its child begins at once", async () => {
  const store = storeBoundedBy();
  const below = (parent: string) => ({ parentSpanId: parent, startUs: 1_000_000 });
  await store.add([
    span(1, 9, { name: "POST /orders", ...below("00000000000000ff") }),
    span(1, 2, { name: "POST", ...below("0000000000000009") }),
  ]);
  expect((await store.list({ limit: 1 })).traces[0]?.rootName).toBe("POST /orders");
});

test("spans that are sent again change nothing", async () => {
  const store = storeBoundedBy();
  await store.add([span(1, 1), span(1, 2)]);
  const before = [await store.list({ limit: 10 }), await store.read(traceIdOf(1))];
  await store.add([span(1, 2), span(1, 1)]);
  expect([await store.list({ limit: 10 }), await store.read(traceIdOf(1))]).toEqual(before);
});

test("a span comes back as it was stored", async () => {
  const store = storeBoundedBy();
  const stored = span(1, 1, {
    name: `"quotes" 'and' \\ 🪨 </script>`,
    detail: {
      statusMessage: "declined",
      attributes: { text: "a\nb", number: 1.5, flag: false, nothing: null },
      events: [{ name: "exception", atUs: 1_000_002, attributes: { "exception.type": "RangeError" } }],
      links: [{ traceId: traceIdOf(7), spanId: "00000000000000aa" }],
      resource: { "service.name": "orders" },
    },
  });
  await store.add([stored]);
  expect((await store.read(traceIdOf(1))).spans).toEqual([stored]);
});

test("more traces than are kept: the oldest leave, with all their spans", async () => {
  const store = storeBoundedBy({ traces: 3 });
  for (let trace = 1; trace <= 5; trace++) await store.add([span(trace, 1), span(trace, 2)]);
  expect(await tracesOf(store)).toEqual([5, 4, 3]);
  expect((await store.read(traceIdOf(2))).spans).toEqual([]);
  expect((await store.list({ limit: 1 })).spanCount).toBe(6);
});

test("more spans than are kept: whole traces leave until the rest fits", async () => {
  const store = storeBoundedBy({ spans: 10 });
  for (let trace = 1; trace <= 4; trace++)
    await store.add(Array.from({ length: 4 }, (_, index) => span(trace, index + 1)));
  expect(await tracesOf(store)).toEqual([4, 3]);
  expect((await store.read(traceIdOf(3))).spans.length).toBe(4);
});

test("one trace alone may fill the store and stays", async () => {
  const store = storeBoundedBy({ spans: 10 });
  await store.add(Array.from({ length: 40 }, (_, index) => span(1, index + 1)));
  expect(await tracesOf(store)).toEqual([1]);
});

test("a trace takes no more spans than one may have, and says how many it refused", async () => {
  const store = storeBoundedBy({ spansPerTrace: 5 });
  const spans = Array.from({ length: 8 }, (_, index) => span(1, index + 1));
  expect(await store.add([...spans, span(2, 1)])).toEqual({ refused: 3 });
  expect((await store.read(traceIdOf(1))).spans.length).toBe(5);
  expect((await store.read(traceIdOf(2))).spans.length).toBe(1);
});

test("the pages of the list hold every trace once, newest first", async () => {
  const store = storeBoundedBy();
  const sameStart = { startUs: 5, endUs: 6 };
  for (let trace = 1; trace <= 7; trace++) await store.add([span(trace, 1, trace < 4 ? sameStart : {})]);
  const seen: string[] = [];
  let next: Awaited<ReturnType<typeof store.list>>["next"] = null;
  do {
    const page = await store.list({ limit: 2, after: next ?? undefined });
    expect(page.traces.length).toBeLessThanOrEqual(2);
    seen.push(...page.traces.map(({ traceId }) => traceId));
    next = page.next;
  } while (next);
  expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map(traceIdOf));
});

test("the list is filtered by service, by errors, and by both", async () => {
  const store = storeBoundedBy();
  await store.add([
    span(1, 1, { service: "gateway" }),
    span(1, 2, { service: "orders" }),
    span(2, 1, { service: "gateway", status: "error" }),
    span(3, 1, { service: "orders", status: "error" }),
  ]);
  expect(await tracesOf(store, { service: "orders" })).toEqual([3, 1]);
  expect(await tracesOf(store, { errorsOnly: true })).toEqual([3, 2]);
  expect(await tracesOf(store, { service: "gateway", errorsOnly: true })).toEqual([2]);
  expect(await tracesOf(store, { service: "order" })).toEqual([]);
});

test("text is found in attributes, in names, and at the beginning of a trace's id", async () => {
  const store = storeBoundedBy();
  await store.add([
    span(1, 1, withAttribute("01936F2C-order")),
    span(2, 1, { name: "reserve-stock OrderPlaced" }),
    span(0xabc, 1, { traceId: `f00d${"0".repeat(25)}abc` }),
  ]);
  expect(await tracesOf(store, { text: "01936f2c" })).toEqual([1]);
  expect(await tracesOf(store, { text: "orderplaced" })).toEqual([2]);
  expect((await store.list({ limit: 9, text: "F00D" })).traces.length).toBe(1);
});

test.each(["%", "_", "'", '"', "\\", "*", `he said "no"`, "'; DROP TABLE spans; --"])(
  "the text %s means itself",
  async (text) => {
    const store = storeBoundedBy();
    await store.add([span(1, 1, withAttribute(`<${text}>`)), span(2, 1, { name: "plain" })]);
    expect(await tracesOf(store, { text: `<${text}>` })).toEqual([1]);
  },
);

test("services are told in the order of their first span, however many traces leave", async () => {
  const store = storeBoundedBy({ traces: 1 });
  for (const [index, service] of ["gateway", "orders", "gateway", "payments"].entries())
    await store.add([span(index + 1, 1, { service })]);
  expect((await store.list({ limit: 1 })).services).toEqual(["gateway", "orders", "payments"]);
});
