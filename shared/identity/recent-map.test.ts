/** Holds that the map never outgrows its bound and forgets only what was not asked for lately. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { recentMap } from "./recent-map.ts";

const keys = fc.array(fc.nat({ max: 40 }).map(String), { maxLength: 200 });

test("it never holds more than it may, whatever comes", () => {
  fc.assert(
    fc.property(keys, fc.integer({ min: 2, max: 20 }), (asked, entriesMax) => {
      const map = recentMap<string>(entriesMax);
      for (const key of asked) {
        if (map.get(key) === undefined) map.set(key, `of ${key}`);
        expect(map.size()).toBeLessThanOrEqual(entriesMax);
        expect(map.get(key)).toBe(`of ${key}`);
      }
    }),
  );
});

test("the half that was asked for last is always there", () => {
  fc.assert(
    fc.property(keys, fc.integer({ min: 2, max: 20 }), (asked, entriesMax) => {
      const map = recentMap<string>(entriesMax);
      for (const key of asked) if (map.get(key) === undefined) map.set(key, key);
      const last = [...new Set(asked.toReversed())].slice(0, Math.floor(entriesMax / 2));
      for (const key of last) expect(map.get(key)).toBe(key);
    }),
  );
});

test("what is set again is the new value, also when the old one was about to be forgotten", () => {
  const map = recentMap<number>(4);
  for (const key of ["a", "b", "c"]) map.set(key, 1);
  map.set("a", 2);
  expect([map.get("a"), map.size()]).toEqual([2, 3]);
});
