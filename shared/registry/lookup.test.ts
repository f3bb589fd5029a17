import fc from "fast-check";
import { expect, test } from "vitest";
import type { Instance, InstanceState } from "./instance.ts";
import { chooseInstance, registryLookup } from "./lookup.ts";

const STATES: readonly InstanceState[] = ["starting", "up", "degraded", "draining", "down", "out_of_service"];

const anyInstance = fc.record({
  id: fc.uuid(),
  version: fc.constantFrom("0.9.0", "1.0.0", "1.2.3", "11.0.0"),
  state: fc.constantFrom(...STATES),
  weight: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 1_000, noNaN: true })),
  binding: fc.constant("B"),
  metadata: fc.constant({}),
});

const instance = (fields: Partial<Instance>): Instance => ({
  id: "i",
  version: "1.0.0",
  state: "up",
  weight: 1,
  metadata: {},
  ...fields,
});

const lookup = registryLookup((each) => each);
const entryOf = (instances: readonly Instance[]) => ({ service: "s", epoch: 1, instances });
const eligibleOf = (instances: readonly Instance[]) =>
  lookup(entryOf(instances)).majors.get(1) ?? { targets: [], sums: [] };

/** The edges of what a source of randomness gives, and what lies between. */
const anyRandom = fc.oneof(
  fc.constantFrom(0, 1 - 2 ** -53, 0.5),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
);

test("only what is eligible is ever chosen, and something is whenever something is", () => {
  fc.assert(
    fc.property(fc.array(anyInstance, { maxLength: 12 }), anyRandom, (instances, random) => {
      for (const [major, eligible] of lookup(entryOf(instances)).majors) {
        const chosen = chooseInstance(eligible, () => random);
        const able = instances.filter(
          (each) => Number.parseInt(each.version, 10) === major && each.weight > 0,
        );
        const up = able.filter(({ state }) => state === "up");
        const expected = up.length > 0 ? up : able.filter(({ state }) => state === "degraded");
        if (expected.length === 0) expect(chosen).toBeUndefined();
        else expect(expected).toContain(chosen);
      }
    }),
    { numRuns: 500 },
  );
});

test("each is chosen as often as its weight says", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(weights, (each) => {
      const eligible = eligibleOf(each.map((weight, index) => instance({ id: `${index}`, weight })));
      const total = each.reduce((sum, weight) => sum + weight, 0);
      const counts = each.map(() => 0);
      for (let point = 0; point < total; point++) {
        const chosen = Number(chooseInstance(eligible, () => (point + 0.5) / total)?.id);
        counts[chosen] = (counts[chosen] ?? 0) + 1;
      }
      expect(counts).toEqual(each);
    }),
  );
});

test("a degraded one works only when none is up", () => {
  const degraded = instance({ id: "degraded", state: "degraded" });
  expect(eligibleOf([degraded, instance({ id: "up" })]).targets).toMatchObject([{ id: "up" }]);
  expect(eligibleOf([degraded, instance({ state: "down" })]).targets).toEqual([degraded]);
  expect(eligibleOf([degraded, instance({ weight: 0 })]).targets).toEqual([degraded]);
});

test("majors are known in ascending order, also those without anyone to work", () => {
  const { majors } = lookup(
    entryOf([instance({ version: "10.1.0" }), instance({ version: "2.0.0", state: "down" }), instance({})]),
  );
  expect([...majors.keys()]).toEqual([1, 2, 10]);
});

test("an entry is worked out once", () => {
  let asked = 0;
  const counting = registryLookup(() => asked++);
  const entry = entryOf([instance({}), instance({})]);
  expect(counting(entry)).toBe(counting(entry));
  expect(asked).toBe(2);
});
