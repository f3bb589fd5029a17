import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommitMetadata } from "#shared/events/commit-metadata.ts";
import type { Append } from "#shared/events/event-log.ts";
import { decodeCommit, encodeCommit } from "./envelope.ts";

const TRACE = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1",
};

const append: Append = {
  aggregate: { type: "order", id: "o-1" },
  expectedPosition: 41,
  expectedVersion: 2,
  commandId: "place-1",
  at: Date.parse("2026-01-31T12:00:00.000Z"),
  events: [
    { type: "OrderPlaced", data: { total: { amount: 1250, currency: "EUR" } } },
    { type: "OrderNoted", data: { text: "ü" } },
  ],
  trace: TRACE,
};

const textOf = ({ payload }: { payload: Uint8Array }) => new TextDecoder().decode(payload);
const decoded = (commit: Append) => {
  const { payload, headers } = encodeCommit("orders", commit);
  return decodeCommit({ aggregate: commit.aggregate, position: 42, payload, carrier: { headers } });
};

describe("a commit as a message", () => {
  it("is a CloudEvents batch in UTF-8, as stored for ever", () => {
    const message = encodeCommit("orders", append);
    expect(JSON.parse(textOf(message))).toEqual([
      {
        specversion: "1.0",
        id: "place-1/0",
        source: "/orders",
        type: "orders.OrderPlaced",
        subject: "order/o-1",
        time: "2026-01-31T12:00:00.000Z",
        datacontenttype: "application/json",
        aggregateversion: 3,
        data: { total: { amount: 1250, currency: "EUR" } },
      },
      {
        specversion: "1.0",
        id: "place-1/1",
        source: "/orders",
        type: "orders.OrderNoted",
        subject: "order/o-1",
        time: "2026-01-31T12:00:00.000Z",
        datacontenttype: "application/json",
        aggregateversion: 4,
        data: { text: "ü" },
      },
    ]);
    expect(Object.fromEntries(message.headers)).toEqual({
      "Content-Type": ["application/cloudevents-batch+json; charset=UTF-8"],
      "Skerry-Command-Id": ["place-1"],
      traceparent: [TRACE.traceparent],
      tracestate: [TRACE.tracestate],
    });
  });

  it("says which version of its schema an event follows, where it is not the first", () => {
    const events = [
      { type: "OrderPlaced", data: { n: 1 } },
      { type: "OrderPlaced", data: { n: 2 }, eventVersion: 2 },
    ];
    const written = JSON.parse(textOf(encodeCommit("orders", { ...append, events })));
    expect(written.map((event: object) => "eventversion" in event)).toEqual([false, true]);
    expect(written[1].eventversion).toBe(2);
    expect(decoded({ ...append, events }).events.map(({ eventVersion }) => eventVersion)).toEqual([
      undefined,
      2,
    ]);
  });

  it("written by this version is read by every later one", () => {
    const stored =
      '[{"specversion":"1.0","id":"c/0","source":"/orders","type":"orders.OrderPlaced","subject":"order/o-1",' +
      '"time":"2026-01-31T12:00:00.000Z","datacontenttype":"application/json","aggregateversion":1,"data":{"n":1}}]';
    const message = { aggregate: append.aggregate, position: 7, payload: new TextEncoder().encode(stored) };
    expect(decodeCommit({ ...message, carrier: {} })).toEqual({
      aggregate: append.aggregate,
      position: 7,
      commandId: "",
      trace: {},
      metadata: {},
      events: [
        { type: "OrderPlaced", data: { n: 1 }, id: "c/0", time: "2026-01-31T12:00:00.000Z", version: 1 },
      ],
    });
  });

  it("says where it comes from in headers, to be read without its payload", () => {
    const metadata = { causationId: "c0/0", correlationId: "r1", actor: "jwt:alice", tenant: "t1" };
    const { headers } = encodeCommit("orders", { ...append, trace: {}, metadata });
    expect(Object.fromEntries(headers)).toEqual({
      "Content-Type": ["application/cloudevents-batch+json; charset=UTF-8"],
      "Skerry-Command-Id": ["place-1"],
      "Skerry-Causation-Id": ["c0/0"],
      "Skerry-Correlation-Id": ["r1"],
      "Skerry-Actor": ["jwt:alice"],
      "Skerry-Tenant": ["t1"],
    });
    expect(decoded({ ...append, metadata }).metadata).toEqual(metadata);
    expect(decoded({ ...append, metadata: { tenant: "t1" } }).metadata).toEqual({ tenant: "t1" });
  });

  it("without a trace has no header of one", () => {
    const { headers } = encodeCommit("orders", { ...append, trace: {} });
    expect([headers.has("traceparent"), headers.has("tracestate")]).toEqual([false, false]);
    expect(decoded({ ...append, trace: {} }).trace).toEqual({});
  });

  it("gives back what was appended, whatever it is", () => {
    const event = fc.record({
      type: fc.stringMatching(/^[A-Z][A-Za-z.]{0,30}$/),
      data: fc
        .dictionary(fc.string(), fc.jsonValue())
        .map((data) => JSON.parse(JSON.stringify(data)) as object),
    });
    const value = fc.option(fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/), { nil: undefined });
    const commit = fc.record({
      metadata: fc
        .record({ causationId: value, correlationId: value, actor: value, tenant: value })
        .map((fields) => JSON.parse(JSON.stringify(fields)) as CommitMetadata),
      aggregate: fc.constant(append.aggregate),
      expectedPosition: fc.nat(),
      expectedVersion: fc.nat(),
      commandId: fc.stringMatching(/^[\x21-\x7e]{1,80}$/),
      at: fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }).map(Number),
      events: fc.array(event, { minLength: 1, maxLength: 5 }),
      trace: fc.constantFrom({}, TRACE, { traceparent: TRACE.traceparent }),
    });
    fc.assert(
      fc.property(commit, (it) => {
        expect(decoded(it)).toEqual({
          aggregate: it.aggregate,
          position: 42,
          commandId: it.commandId,
          trace: it.trace,
          metadata: it.metadata,
          events: it.events.map(({ type, data }, index) => ({
            type,
            data,
            id: `${it.commandId}/${index}`,
            time: new Date(it.at).toISOString(),
            version: it.expectedVersion + index + 1,
          })),
        });
      }),
    );
  });

  it("holds what CloudEvents 1.0 requires of every event: non-empty strings, and source and id together unique", () => {
    const batch = JSON.parse(textOf(encodeCommit("orders", append))) as Record<string, unknown>[];
    for (const event of batch) {
      expect(event.specversion).toBe("1.0");
      for (const required of ["id", "source", "type"]) expect(event[required]).toMatch(/^.+$/);
      for (const attribute of Object.keys(event)) expect(attribute).toMatch(/^[a-z0-9]{1,20}$/);
    }
    expect(new Set(batch.map(({ source, id }) => `${source} ${id}`)).size).toBe(batch.length);
  });

  it("that is not JSON is not taken for a commit", () => {
    const message = { aggregate: append.aggregate, position: 1, carrier: {} };
    expect(() => decodeCommit({ ...message, payload: new TextEncoder().encode("hello") })).toThrow(
      SyntaxError,
    );
  });
});
