import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Balanced } from "./balancer.ts";
import { consistentHash } from "./consistent-hash.ts";
import { instanceLoads } from "./instance-loads.ts";

const fresh = () =>
  consistentHash<Balanced>(
    instanceLoads<Balanced>(() => 0),
    () => 0.5,
  );

const anyList = fc.uniqueArray(fc.record({ id: fc.uuid(), weight: fc.integer({ min: 1, max: 5 }) }), {
  selector: ({ id }) => id,
  minLength: 2,
  maxLength: 10,
});
const anyKeys = fc.array(fc.string(), { minLength: 1, maxLength: 50 });

const homes = (
  list: readonly Balanced[],
  keys: readonly string[],
  except?: (target: Balanced) => boolean,
) => {
  const balancer = fresh();
  return keys.map((key) => balancer.pick(list, { key, except })?.id);
};

describe("a key", () => {
  test("has the same instance in every isolate, in whatever order instances are listed", () => {
    fc.assert(
      fc.property(anyList, anyKeys, (list, keys) => {
        expect(homes(list.toReversed(), keys)).toEqual(homes(list, keys));
      }),
    );
  });

  test("moves only when its own instance goes, or to one that came", () => {
    fc.assert(
      fc.property(anyList, anyKeys, (list, keys) => {
        const [comer, ...others] = list;
        const without = homes(others, keys);
        const together = homes(list, keys);
        for (const [index, home] of together.entries()) {
          if (home !== comer?.id) expect(home).toBe(without[index]);
        }
      }),
    );
  });

  test("goes where it would go without the instance that is excepted", () => {
    fc.assert(
      fc.property(anyList, anyKeys, (list, keys) => {
        const [away, ...others] = list;
        expect(homes(list, keys, ({ id }) => id === away?.id)).toEqual(homes(others, keys));
      }),
    );
  });

  test("moves only to the instance whose weight grew", () => {
    fc.assert(
      fc.property(anyList, anyKeys, (list, keys) => {
        const [grown, ...others] = list;
        if (!grown) return;
        const before = homes(list, keys);
        const after = homes([{ ...grown, weight: grown.weight * 3 }, ...others], keys);
        for (const [index, home] of after.entries()) if (home !== before[index]) expect(home).toBe(grown.id);
      }),
    );
  });
});

test("keys are spread by weight", () => {
  const list = [1, 2, 3, 4].map((weight) => ({ id: `node-${weight}`, weight }));
  const balancer = fresh();
  const counts = new Map<string, number>();
  for (let index = 0; index < 100_000; index++) {
    const id = balancer.pick(list, { key: `customer-${index}` })?.id ?? "";
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id, weight } of list) expect((counts.get(id) ?? 0) / 10_000 / weight).toBeCloseTo(1, 1);
});

test("who has no key gets an instance by chance", () => {
  const list = ["a", "b"].map((id) => ({ id, weight: 1 }));
  const at = (random: number) =>
    consistentHash(
      instanceLoads<Balanced>(() => 0),
      () => random,
    ).pick(list)?.id;
  expect([at(0.1), at(0.9)]).toEqual(["a", "b"]);
});

test("a key's instance is the same for callers of all zones", () => {
  const list = ["n1", "n2", "s1", "s2"].map((id) => ({ id, weight: 1, zone: id.charAt(0) }));
  const balancer = fresh();
  for (let index = 0; index < 50; index++) {
    const key = `customer-${index}`;
    expect(balancer.pick(list, { key, zone: "n" })).toBe(balancer.pick(list, { key, zone: "s" }));
  }
});
