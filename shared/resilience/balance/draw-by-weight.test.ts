import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
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

/** A linear congruential generator (Numerical Recipes): the same draws in every run. */
const anyWeights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });

test("each is drawn as often as its weight says, whoever is left out", () => {
  fc.assert(
    fc.property(anyWeights, fc.integer({ min: -1, max: 7 }), (weights, index) => {
      const but = index < weights.length ? index : -1;
      const expected = weights.map((weight, each) => (each === but ? 0 : weight));
      const sum = expected.reduce((total, weight) => total + weight, 0);
      const counts = weights.map(() => 0);
      // Every point of the line of weights is drawn once: counts are then exact.
      for (let point = 0; point < sum; point++) {
        const drawn = drawByWeight(groupOf(weights), () => (point + 0.5) / sum, undefined, but);
        counts[drawn] = (counts[drawn] ?? 0) + 1;
      }
      expect(counts).toEqual(expected);
    }),
  );
});

test("each is drawn as often as its weight says where few are excepted and where most are", () => {
  const weights = [1, 2, 3, 4, 5, 6];
  for (const excepted of [[5], [0, 2, 4], [0, 3, 4, 5], [1, 2, 3, 4, 5]]) {
    const random = seededRandom(excepted.length);
    const counts = weights.map(() => 0);
    for (let draw = 0; draw < 60_000; draw++) {
      const drawn = drawByWeight(groupOf(weights), random, ({ index }) => excepted.includes(index));
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    const sum = weights.reduce((total, each, index) => (excepted.includes(index) ? total : total + each), 0);
    for (const [index, weight] of weights.entries()) {
      const share = excepted.includes(index) ? 0 : weight / sum;
      expect(Math.abs((counts[index] ?? 0) / 60_000 - share)).toBeLessThan(0.01);
    }
  }
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

test("the weight of one left out counts for nobody when all have to be asked", () => {
  const group = groupOf([8, 1, 2, 1]);
  const drawn = (random: number) =>
    drawByWeight(
      group,
      () => random,
      ({ index }) => index === 2,
      0,
    );
  // Both points lie on the excepted one, so that each draw is in vain.
  expect([drawn(0.4), drawn(0.6)]).toEqual([1, 3]);
});
