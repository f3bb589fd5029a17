import fc from "fast-check";
import { expect, test } from "vitest";
import { inFlight } from "./in-flight.ts";

test("requests that end are counted off, those that never end are forgotten once they are too old", () => {
  const HELD_MS = 100;
  const step = fc.record({
    waitMs: fc.nat({ max: 60 }),
    begins: fc.constantFrom("ends", "dropped", undefined),
    ends: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const counted = inFlight();
      let now = 0;
      let open: number[] = [];
      let dropped: number[] = [];
      for (const { waitMs, begins, ends } of steps) {
        now += waitMs;
        counted.forgetBefore(now - HELD_MS);
        open = open.filter((at) => at >= now - HELD_MS);
        dropped = dropped.filter((at) => at >= now - HELD_MS);
        if (begins) {
          counted.began(now);
          (begins === "ends" ? open : dropped).push(now);
        }
        for (const at of open.splice(0, ends)) counted.ended(at);
        expect(counted.count()).toBe(open.length + dropped.length);
      }
      counted.forgetBefore(now + 1);
      expect(counted.count()).toBe(0);
    }),
  );
});

test("an end at a time when none began ends one all the same", () => {
  const counted = inFlight();
  for (const at of [10, 20, 30]) counted.began(at);
  for (const at of [25, 5, 99]) counted.ended(at);
  expect(counted.count()).toBe(0);
  counted.ended(1);
  expect(counted.count()).toBe(0);
});
