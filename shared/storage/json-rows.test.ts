import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonRows } from "./json-rows.ts";

const utf8Bytes = (text: string) => new TextEncoder().encode(text).length;

describe("jsonRows", () => {
  it("makes nothing of no rows, and one array of few", () => {
    expect(jsonRows([])).toEqual([]);
    expect(jsonRows([{ a: 1 }, { a: 2 }])).toEqual(['[{"a":1},{"a":2}]']);
  });

  it("holds every row once and in order, in arrays no larger than asked for unless one row is", () => {
    const row = fc.record({ text: fc.string({ unit: "grapheme", maxLength: 40 }), n: fc.integer() });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), fc.integer({ min: 1, max: 300 }), (rows, unitsMax) => {
        const chunks = jsonRows(rows, unitsMax);
        expect(chunks.flatMap((chunk) => JSON.parse(chunk))).toEqual(rows);
        for (const chunk of chunks) {
          const lonely = JSON.parse(chunk).length === 1;
          expect(lonely || chunk.length <= unitsMax + 2).toBe(true);
        }
      }),
    );
  });

  it("keeps each array below the 2 MB that D1 takes, also when every character has three bytes", () => {
    const rows = Array.from({ length: 3_000 }, (_, n) => ({ n, text: "€".repeat(500) }));
    const chunks = jsonRows(rows);
    expect(Math.max(...chunks.map(utf8Bytes))).toBeLessThan(2_000_000);
    expect(chunks.length).toBe(3);
  });
});
