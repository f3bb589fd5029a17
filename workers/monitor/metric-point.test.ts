import fc from "fast-check";
import { expect, test } from "vitest";
import { type HistogramValue, merged, quantile } from "./metric-point.ts";

const BOUNDS = [1, 2, 5, 10];

const histogramOf = (values: readonly number[]): HistogramValue => ({
  kind: "histogram",
  count: values.length,
  sum: values.reduce((sum, value) => sum + value, 0),
  min: Math.min(...values),
  max: Math.max(...values),
  bounds: BOUNDS,
  counts: [...BOUNDS, Number.POSITIVE_INFINITY].map(
    (bound, index) =>
      values.filter((value) => value <= bound && value > (BOUNDS[index - 1] ?? Number.NEGATIVE_INFINITY))
        .length,
  ),
});

const values = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 50 });

test("merging is as good as measuring together", () => {
  fc.assert(
    fc.property(values, values, (some, others) => {
      expect(merged(histogramOf(some), histogramOf(others))).toEqual(histogramOf([...some, ...others]));
    }),
  );
});

test("a quantile is in the bucket of the value that it stands for, between the least and the greatest", () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.95, 0.99), (measured, share) => {
      const estimate = quantile(histogramOf(measured), share) ?? Number.NaN;
      const exact = measured.toSorted((a, b) => a - b)[Math.ceil(share * measured.length) - 1] ?? 0;
      const bucket = [...BOUNDS, 20].findIndex((bound) => exact <= bound);
      expect(estimate).toBeLessThanOrEqual(Math.min([...BOUNDS, 20][bucket] ?? 20, Math.max(...measured)));
      expect(estimate).toBeGreaterThanOrEqual(Math.max(BOUNDS[bucket - 1] ?? 0, Math.min(...measured)));
    }),
  );
});

test("nothing has no quantiles", () => {
  const nothing = { ...histogramOf([1]), count: 0, counts: [0, 0, 0, 0, 0] };
  expect(quantile(nothing, 0.5)).toBeUndefined();
});

test("without a greatest value what is above all bounds counts as the last bound", () => {
  const above = { ...histogramOf([50]), min: null, max: null };
  expect(quantile(above, 0.99)).toBe(10);
});
