import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareOf } from "../stable-share.ts";
import { evaluateFlag, type FlagContext } from "./evaluate-flag.ts";
import { flagSchema } from "./flag.ts";

const evaluate = (written: unknown, context: FlagContext = {}, key = "checkout") =>
  evaluateFlag(flagSchema.parse(written), key, context);

const withRule = (condition: object) => ({
  rules: [{ if: [{ attribute: "a", ...condition }], serve: "on" }],
  serve: "off",
});

const TIERS = {
  variants: { free: 1, plus: 10, team: 100 },
  off: "free",
  serve: "free",
  rules: [
    {
      if: [
        { attribute: "country", in: ["CH", "AT"] },
        { attribute: "seats", greaterThan: 5 },
      ],
      serve: "team",
    },
    { if: [{ attribute: "country", in: ["CH"] }], serve: "plus" },
  ],
};

describe("a flag", () => {
  test("without rules is static", () => {
    expect(evaluate(true)).toEqual({ value: true, variant: "on", reason: "STATIC" });
    expect(evaluate(false)).toEqual({ value: false, variant: "off", reason: "STATIC" });
  });

  test("that is not enabled serves its off variant, whatever its rules say", () => {
    const flag = { ...TIERS, enabled: false };
    expect(evaluate(flag, { country: "CH", seats: 9 })).toEqual({
      value: 1,
      variant: "free",
      reason: "DISABLED",
    });
  });

  test("serves by the first rule of which all conditions hold", () => {
    expect(evaluate(TIERS, { country: "CH", seats: 9 })).toMatchObject({
      variant: "team",
      reason: "TARGETING_MATCH",
    });
    expect(evaluate(TIERS, { country: "CH", seats: 5 })).toMatchObject({
      variant: "plus",
      reason: "TARGETING_MATCH",
    });
    expect(evaluate(TIERS, { country: "AT", seats: 5 })).toMatchObject({
      variant: "free",
      reason: "DEFAULT",
    });
    expect(evaluate(TIERS)).toEqual({ value: 1, variant: "free", reason: "DEFAULT" });
  });

  test("may serve an object, and by the targeting key as an attribute", () => {
    const flag = {
      variants: { wide: { columns: 4 }, off: { columns: 1 } },
      serve: "off",
      rules: [{ if: [{ attribute: "targetingKey", in: ["ann"] }], serve: "wide" }],
    };
    expect(evaluate(flag, { targetingKey: "ann" })).toMatchObject({ value: { columns: 4 }, variant: "wide" });
    expect(evaluate(flag, { targetingKey: "bob" })).toMatchObject({ variant: "off" });
  });

  test("that was never checked and serves what it has not is an error", () => {
    const flag = { ...flagSchema.parse(true), serve: "constructor" };
    expect(evaluateFlag(flag, "a", {})).toEqual({ reason: "ERROR", errorCode: "PARSE_ERROR" });
  });
});

describe("a condition", () => {
  test.each<[object, unknown, boolean]>([
    [{ in: ["x", 1, true] }, "x", true],
    [{ in: ["x", 1, true] }, 1, true],
    [{ in: ["x", 1, true] }, "1", false],
    [{ in: ["x"] }, undefined, false],
    [{ notIn: ["x"] }, "y", true],
    [{ notIn: ["x"] }, "x", false],
    [{ notIn: ["x"] }, undefined, true],
    [{ startsWith: "ab" }, "abc", true],
    [{ startsWith: "ab" }, "cab", false],
    [{ startsWith: "" }, undefined, false],
    [{ endsWith: "@example.com" }, "ann@example.com", true],
    [{ endsWith: "@example.com" }, 7, false],
    [{ greaterThan: 5 }, 6, true],
    [{ greaterThan: 5 }, 5, false],
    [{ greaterThan: 5 }, "6", false],
    [{ lessThan: 5 }, 4, true],
    [{ lessThan: 5 }, 5, false],
    [{ lessThan: 5 }, undefined, false],
    [{ greaterThan: 1, lessThan: 3 }, 2, true],
    [{ greaterThan: 1, lessThan: 3 }, 3, false],
    [{ exists: true }, 0, true],
    [{ exists: true }, null, false],
    [{ exists: false }, undefined, true],
    [{ exists: false }, "x", false],
    [{ exists: true, notIn: ["x"] }, undefined, false],
  ])("%j on %j holds: %s", (condition, value, holds) => {
    expect(evaluate(withRule(condition), { a: value })).toMatchObject({ value: holds });
  });

  test("does not take what every object has for an attribute", () => {
    const flag = { ...withRule({}), rules: [{ if: [{ attribute: "toString", exists: true }], serve: "on" }] };
    expect(evaluate(flag)).toMatchObject({ value: false });
  });
});

describe("a split", () => {
  test("without a targeting key is an error", () => {
    expect(evaluate({ percentage: 25 })).toEqual({ reason: "ERROR", errorCode: "TARGETING_KEY_MISSING" });
  });

  test("says so as the reason, also within a rule", () => {
    expect(evaluate({ percentage: 100 }, { targetingKey: "ann" })).toEqual({
      value: true,
      variant: "on",
      reason: "SPLIT",
    });
    const flag = { rules: [{ if: [{ attribute: "a", exists: true }], serve: { on: 100 } }], serve: "off" };
    expect(evaluate(flag, { targetingKey: "ann", a: 1 })).toMatchObject({ variant: "on", reason: "SPLIT" });
  });

  test("keeps whoever is on while its percentage rises", () => {
    const percentage = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.string(), percentage, percentage, (targetingKey, one, two) => {
        const [smaller, larger] = [Math.min(one, two), Math.max(one, two)];
        if (!evaluate({ percentage: smaller }, { targetingKey }).value) return;
        expect(evaluate({ percentage: larger }, { targetingKey }).value).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("gives each variant its share, within one percent, a share of nothing to nobody", () => {
    const variants = { none: "0", some: "1", more: "2", most: "3" };
    const flag = flagSchema.parse({
      variants,
      off: "none",
      serve: { none: 0, some: 10, more: 20, most: 70 },
    });
    const counts: Record<string, number> = {};
    for (let index = 0; index < 100_000; index++) {
      const { variant = "" } = evaluateFlag(flag, "layout", { targetingKey: `customer-${index}` });
      counts[variant] = (counts[variant] ?? 0) + 1;
    }
    expect(counts.none).toBeUndefined();
    for (const [variant, share] of [
      ["some", 10],
      ["more", 20],
      ["most", 70],
    ] as const) {
      expect(Math.abs((counts[variant] ?? 0) / 1_000 - share)).toBeLessThan(1);
    }
  });

  test("that rounding left short of 100 gives the rest to a variant that has a share", () => {
    const flag = { variants: { some: 1, zero: 2 }, off: "some", serve: { some: 99.9995, zero: 0 } };
    expect(shareOf("layout", "customer-42831")).toBeGreaterThan(99.9995);
    expect(evaluate(flag, { targetingKey: "customer-42831" }, "layout")).toMatchObject({ variant: "some" });
  });

  test("of one flag has other members than that of another", () => {
    const members = (key: string) =>
      Array.from(
        { length: 1_000 },
        (_, index) => evaluate({ percentage: 50 }, { targetingKey: `${index}` }, key).value,
      );
    const other = members("search");
    const same = members("checkout").filter((value, index) => value === other[index]).length;
    expect(same).toBeGreaterThan(400);
    expect(same).toBeLessThan(600);
  });
});
