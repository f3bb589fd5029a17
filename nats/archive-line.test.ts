import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArchiveFault, chainStart, readLine, type StoredMessage, writeLine } from "./archive-line.ts";

const START = chainStart("orders");

const message = (over: Partial<StoredMessage> = {}): StoredMessage => ({
  position: 1,
  subject: "log.orders.order.a",
  time: "2026-01-31T12:00:00.000Z",
  headers: [["Nats-Msg-Id", "order.a.c1"]],
  payload: new TextEncoder().encode('[{"id":"c1/0"}]'),
  ...over,
});

describe("a line of an archive", () => {
  it("gives back every message as it was, bytes that are no text included", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
        ),
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { maxLength: 5 }),
        (payload, headers) => {
          const written = writeLine(message({ payload, headers }), START);
          expect(written.line).not.toContain("\n");
          const read = readLine(written.line, START);
          expect(read.chain).toBe(written.chain);
          expect(read.message).toEqual(message({ payload: new Uint8Array(payload), headers }));
        },
      ),
    );
  });

  it("keeps a byte order mark", () => {
    const payload = new Uint8Array([0xef, 0xbb, 0xbf, 0x5b, 0x5d]);
    expect(readLine(writeLine(message({ payload }), START).line, START).message.payload).toEqual(payload);
  });

  it("is refused after other lines than its own, and as another service's", () => {
    const first = writeLine(message(), START);
    const second = writeLine(message({ position: 2 }), first.chain);
    expect(() => readLine(second.line, START)).toThrow("does not follow");
    expect(() => readLine(first.line, chainStart("payments"))).toThrow("does not follow");
    expect(readLine(second.line, first.chain).message.position).toBe(2);
  });

  it("is refused with a reason, whatever was done to it, and never breaks the reader", () => {
    const { line } = writeLine(message(), START);
    const change = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc
        .tuple(fc.nat(line.length - 1), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }))
        .map(([at, character]) => line.slice(0, at) + character + line.slice(at + 1)),
      fc.nat(line.length - 1).map((length) => line.slice(0, length)),
    );
    fc.assert(
      fc.property(change, (changed) => {
        fc.pre(changed !== line);
        expect(() => readLine(changed, START)).toThrow(ArchiveFault);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is refused when it was made with a right hash and a wrong form", () => {
    const forged = (fields: object) => writeLine({ ...message(), ...fields } as StoredMessage, START).line;
    expect(() => readLine(forged({ subject: "log.orders.order" }), START)).toThrow("expected log.<service>");
    expect(() => readLine(forged({ position: 0 }), START)).toThrow('"position"');
    expect(() => readLine(forged({ headers: [["", "x"]] }), START)).toThrow('"headers.0.0"');
  });
});
