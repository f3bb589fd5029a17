import { expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { knownRefusals } from "./known-refusals.ts";

test("a refusal is known until its time is over, and how much of it is left", () => {
  const refusals = knownRefusals<string>();
  refusals.add("k", "limit", 1_000);
  expect(refusals.of("k", 400)).toEqual({ what: "limit", leftMs: 600 });
  expect(refusals.of("other", 400)).toBeUndefined();
  expect(refusals.of("k", 1_000)).toBeUndefined();
});

test("when there are too many all are forgotten, and the newest is known", () => {
  const refusals = knownRefusals<number>();
  for (let each = 0; each <= LIMITS.rateLimitKeys; each++) refusals.add(`${each}`, each, 1_000);
  expect(refusals.of("0", 0)).toBeUndefined();
  expect(refusals.of(`${LIMITS.rateLimitKeys}`, 0)?.what).toBe(LIMITS.rateLimitKeys);
});
