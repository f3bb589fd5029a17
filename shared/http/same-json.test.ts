import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { sameJson } from "./same-json.ts";

const VALUES: unknown[] = [
  ...[null, true, false, 0, 1, "", "0", [], [1], [1, 2], [2, 1], [[]], [{}], {}],
  ...[{ a: 1 }, { a: 1, b: undefined }, { b: 2, a: 1 }, { a: 1, b: 2 }, { a: { b: [1] } }, { a: { b: [2] } }],
  ...[{ 0: 1 }, { length: 0 }, { toString: 1 }, { a: null }],
];

test("values are the same exactly when they are written alike", () => {
  for (const one of VALUES)
    for (const other of VALUES)
      expect(
        sameJson(structuredClone(one), other),
        `${JSON.stringify(one)} and ${JSON.stringify(other)}`,
      ).toBe(canonicalJson(one) === canonicalJson(other));
});
