import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareOf, takesPart } from "./stable-share.ts";

const KEYS = 100_000;

const shapes: readonly (readonly [string, (index: number) => string])[] = [
  ["numbers", (index) => `${index}`],
  ["padded numbers", (index) => `customer-${`${index}`.padStart(8, "0")}`],
  ["addresses", (index) => `user${index}@example.com`],
  ["hexadecimal", (index) => index.toString(16).padStart(32, "0")],
];

describe("the share of a key", () => {
  test("is from 0 up to but not 100, and always the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (salt, key) => {
        const share = shareOf(salt, key);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThan(100);
        expect(shareOf(salt, key)).toBe(share);
      }),
    );
  });

  test("is what other versions of this code made of it", () => {
    expect(shareOf("checkout", "customer-1")).toBeCloseTo(59.72742133308202, 9);
  });

  test.each(shapes)("spreads %s evenly, within one percent of all at each tenth", (_shape, keyOf) => {
    for (const salt of ["a", "b", "checkout-v2"]) {
      const tenths = new Array<number>(10).fill(0);
      for (let index = 0; index < KEYS; index++) {
        const tenth = Math.floor(shareOf(salt, keyOf(index)) / 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      for (const count of tenths) expect(Math.abs(count - KEYS / 10)).toBeLessThan(KEYS / 100);
    }
  });

  test.each(shapes)("of %s under one salt says nothing of it under another", (_shape, keyOf) => {
    let both = 0;
    for (let index = 0; index < KEYS; index++) {
      if (takesPart("a", keyOf(index), 50) && takesPart("b", keyOf(index), 50)) both++;
    }
    expect(Math.abs(both - KEYS / 4)).toBeLessThan(KEYS / 100);
  });

  test("depends on where salt ends and key begins", () => {
    expect(shareOf("ab", "c")).not.toBe(shareOf("a", "bc"));
  });
});

describe("who takes part", () => {
  test("does so at every larger percentage, all at 100, nobody at 0", () => {
    const percentage = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.string(), fc.string(), percentage, percentage, (salt, key, one, two) => {
        const [smaller, larger] = [Math.min(one, two), Math.max(one, two)];
        if (takesPart(salt, key, smaller)) expect(takesPart(salt, key, larger)).toBe(true);
        expect(takesPart(salt, key, 100)).toBe(true);
        expect(takesPart(salt, key, 0)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([1, 10, 25, 50])("at %d percent are that many of 100,000, within one percent", (percentage) => {
    for (const [, keyOf] of shapes) {
      let members = 0;
      for (let index = 0; index < KEYS; index++) if (takesPart("x", keyOf(index), percentage)) members++;
      expect(Math.abs((members / KEYS) * 100 - percentage)).toBeLessThan(1);
    }
  });
});
