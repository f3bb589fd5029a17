import { describe, expect, test } from "vitest";
import { CURRENCIES } from "./currencies.ts";
import { moneySchema, skuSchema, timestampSchema, uuidSchema } from "./schemas.ts";

describe("a currency", () => {
  test("is one that the platform's own list knows too, but for those younger than it", () => {
    const known = new Set(Intl.supportedValuesOf("currency"));
    const younger = new Set(["SLE", "VED", "XCG"]);
    expect(CURRENCIES.filter((code) => !known.has(code) && !younger.has(code))).toEqual([]);
  });

  test("stands once in the table, in order", () => {
    expect([...new Set(CURRENCIES)].sort()).toEqual([...CURRENCIES]);
  });

  test.each(["EUX", "eur", "XXX", "XAU", "DEM", "", "EURO"])("is not %j", (currency) => {
    expect(moneySchema.safeParse({ amount: 1, currency }).success).toBe(false);
  });
});

test.each([0, 1, Number.MAX_SAFE_INTEGER])("an amount may be %s", (amount) => {
  expect(moneySchema.safeParse({ amount, currency: "EUR" }).success).toBe(true);
});

test.each([-1, 0.1, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Number.POSITIVE_INFINITY, "1", null])(
  "an amount may not be %s",
  (amount) => {
    expect(moneySchema.safeParse({ amount, currency: "EUR" }).success).toBe(false);
  },
);

test("an amount of minus zero is zero on the wire", () => {
  const money = moneySchema.parse({ amount: -0, currency: "EUR" });
  expect(JSON.stringify(money)).toBe('{"amount":0,"currency":"EUR"}');
});

test.each(["a.b", "a b", "*", ">", "", "x".repeat(65), "é", "a\n", "a/b", "..\u0000"])(
  "a sku may not be %j",
  (sku) => {
    expect(skuSchema.safeParse(sku).success).toBe(false);
  },
);

test("a UUID must be of version 7", () => {
  expect(uuidSchema.safeParse("01932f6e-8f3a-7c52-b1de-0a4f6c1d9e77").success).toBe(true);
  expect(uuidSchema.safeParse("01932f6e-8f3a-4c52-b1de-0a4f6c1d9e77").success).toBe(false);
});

test.each(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000+01:00", "2026-02-30T12:00:00.000Z", "yesterday"])(
  "a time may not be %j",
  (time) => {
    expect(timestampSchema.safeParse(time).success).toBe(false);
  },
);
