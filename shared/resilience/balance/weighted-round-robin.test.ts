import fc from "fast-check";
import { expect, test } from "vitest";
import { instanceLoads } from "./instance-loads.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

const instancesOf = (weights: readonly number[]) =>
  weights.map((weight, index) => ({ id: `${index}`, weight }));
const roundRobin = (random = 0) =>
  weightedRoundRobin(
    instanceLoads(() => 0),
    () => random,
  );

test("each has exactly as many turns as its weight in every round, wherever the first turn began", () => {
  const anyWeights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  const anyStart = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(anyWeights, anyStart, fc.nat({ max: 50 }), (weights, random, skipped) => {
      const list = instancesOf(weights);
      const balancer = roundRobin(random);
      for (let turn = 0; turn < skipped; turn++) balancer.pick(list);
      const counts = new Map<string | undefined, number>();
      for (let turn = weights.reduce((sum, weight) => sum + weight, 0); turn > 0; turn--) {
        const id = balancer.pick(list)?.id;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      expect(list.map(({ id }) => counts.get(id))).toEqual(weights);
    }),
  );
});

test("the turns of the heaviest are spread out", () => {
  const list = instancesOf([5, 1, 1]);
  const balancer = roundRobin();
  expect(Array.from({ length: 7 }, () => balancer.pick(list)?.id).join("")).toBe("0010200");
});

test("isolates that start at once do not all begin with the same instance", () => {
  const list = instancesOf([1, 1, 1, 1]);
  const firsts = [0, 0.25, 0.5, 0.75].map((random) => roundRobin(random).pick(list)?.id);
  expect(firsts).toEqual(["0", "1", "2", "3"]);
});

test("who is excepted saves up no turns", () => {
  const list = instancesOf([1, 1]);
  const balancer = roundRobin();
  for (let turn = 0; turn < 10; turn++) balancer.pick(list, { except: ({ id }) => id === "0" });
  expect(Array.from({ length: 4 }, () => balancer.pick(list)?.id).join("")).toBe("0101");
});
