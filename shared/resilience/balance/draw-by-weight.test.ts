import fc from "fast-check";
import { expect, test } from "vitest";
import { drawByWeight } from "./draw-by-weight.ts";

const groupOf = (weights: readonly number[]) => {
  let sum = 0;
  return {
    targets: weights.map((_weight, index) => ({ index })),
    weights: Float64Array.from(weights),
    sums: Float64Array.from(weights, (weight) => {
      sum += weight;
      return sum;
    }),
  };
};

const anyWeights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });

/** Every point of the line of weights is drawn once: counts are then exact. */
const drawAll = (weights: readonly number[], excepted: readonly number[], but: number, asked: boolean) => {
  const counts = weights.map(() => 0);
  const gone = new Set([...excepted, but]);
  const sum = weights.reduce((total, weight, index) => (gone.has(index) ? total : total + weight), 0);
  for (let point = 0; point < sum; point++) {
    const except = asked ? ({ index }: { index: number }) => excepted.includes(index) : undefined;
    const drawn = drawByWeight(groupOf(weights), () => (point + 0.5) / sum, except, but);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  return { counts, expected: weights.map((weight, index) => (gone.has(index) ? 0 : weight)) };
};

test("each is drawn as often as its weight says, whoever is left out or excepted", () => {
  fc.assert(
    fc.property(
      anyWeights,
      fc.integer({ min: -1, max: 7 }),
      fc.array(fc.nat({ max: 7 })),
      (weights, but, ids) => {
        const left = but < weights.length ? but : -1;
        const some = drawAll(weights, ids, left, true);
        expect(some.counts).toEqual(some.expected);
        const any = drawAll(weights, [], left, false);
        expect(any.counts).toEqual(any.expected);
      },
    ),
  );
});

test("what is left out or excepted is not drawn, however weights are rounded", () => {
  const uneven = fc.array(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), { minLength: 2, maxLength: 8 });
  const edges = fc.constantFrom(0, 0.5, 1 - 2 ** -53);
  fc.assert(
    fc.property(uneven, fc.nat({ max: 1 }), edges, fc.boolean(), (weights, but, random, asked) => {
      const drawn = drawByWeight(groupOf(weights), () => random, asked ? () => false : undefined, but);
      expect(drawn).not.toBe(but);
      expect(weights[drawn]).toBeDefined();
    }),
    { numRuns: 1_000 },
  );
});

test("nothing is drawn where nothing is left", () => {
  expect(drawByWeight(groupOf([]), () => 0, undefined)).toBe(-1);
  expect(drawByWeight(groupOf([1]), () => 0, undefined, 0)).toBe(-1);
  expect(
    drawByWeight(
      groupOf([1, 2]),
      () => 0,
      () => true,
    ),
  ).toBe(-1);
});
