import { describe, expect, test } from "vitest";
import type { Balanced } from "./balancer.ts";
import { instanceLoads, type LoadSettings } from "./instance-loads.ts";
import { powerOfTwo } from "./power-of-two.ts";

const one: Balanced = { id: "one", weight: 1 };
const two: Balanced = { id: "two", weight: 1 };

const given = (settings: LoadSettings = {}) => {
  const at = { ms: 0 };
  const loads = instanceLoads<Balanced>(() => at.ms, settings);
  const answer = (target: Balanced, tookMs: number, failed = false) => {
    loads.started(target);
    loads.finished(target, { tookMs, failed });
  };
  return { at, loads, answer };
};

describe("the score of an instance", () => {
  test("is its latency for each request that it would have, by weight", () => {
    const { loads, answer } = given();
    const list = [one, { ...two, weight: 4 }];
    loads.group(list, {});
    for (const each of list) answer(each, 40);
    loads.started(two);
    const group = loads.group(list, {});
    expect([group.score(0), group.score(1)]).toEqual([40, (40 * 2) / 4]);
  });

  test("shows a peak at once, and what is better only with time", () => {
    const { at, loads, answer } = given({ decayMs: 1_000 });
    const list = [one];
    loads.group(list, {});
    answer(one, 10);
    answer(one, 500);
    expect(loads.group(list, {}).score(0)).toBe(500);
    answer(one, 10);
    expect(loads.group(list, {}).score(0)).toBe(500);
    at.ms += 1_000;
    answer(one, 10);
    const third = 500 / Math.E;
    expect(loads.group(list, {}).score(0)).toBeCloseTo(third + 10 * (1 - 1 / Math.E), 9);
  });

  test("is forgotten with time, so that a slow one is tried again", () => {
    const { at, loads, answer } = given({ decayMs: 1_000 });
    const list = [one];
    loads.group(list, {});
    answer(one, 500);
    at.ms += 10_000;
    expect(loads.group(list, {}).score(0)).toBeLessThan(1);
  });

  test("does not grow when the clock is set back", () => {
    const { at, loads, answer } = given();
    const list = [one];
    loads.group(list, {});
    answer(one, 500);
    at.ms -= 3_600_000;
    expect(loads.group(list, {}).score(0)).toBe(500);
  });

  test("is that of a slow one where it fails fast", () => {
    const { loads, answer } = given({ failureMs: 1_000 });
    const list = [one, two];
    loads.group(list, {});
    answer(one, 1, true);
    answer(two, 200);
    const balancer = powerOfTwo(loads, () => 0);
    expect(balancer.pick(list)).toBe(two);
  });
});

test("one that has not answered yet gets a single request before the others get more", () => {
  const { loads, answer } = given();
  loads.group([one], {});
  answer(one, 20);
  const list = [one, two];
  const balancer = powerOfTwo(loads, () => 0);
  expect(balancer.pick(list)).toBe(two);
  balancer.started(two);
  expect(balancer.pick(list)).toBe(one);
});

describe("slow start", () => {
  test("leads a new instance evenly to its whole weight, and leaves alone those that were there first", () => {
    const { at, loads } = given({ slowStartMs: 10_000 });
    const weights = (list: readonly Balanced[]) => [...loads.group(list, {}).weights];
    expect(weights([one])).toEqual([1]);
    const list = [one, { ...two, weight: 8 }];
    const seen: number[][] = [];
    for (const ms of [0, 500, 5_000, 9_000, 10_000, 60_000]) {
      at.ms = ms;
      seen.push(weights(list));
    }
    expect(seen).toEqual([
      [1, 0.8],
      [1, 0.8],
      [1, 4],
      [1, 7.2],
      [1, 8],
      [1, 8],
    ]);
    expect([...loads.group(list, {}).sums]).toEqual([1, 9]);
  });

  test("begins anew for an instance that was away, even while an old request of it was still under way", () => {
    const { at, loads } = given({ slowStartMs: 10_000 });
    loads.group([one, two], {});
    loads.started(two);
    loads.group([one], {});
    at.ms = 5_000;
    expect([...loads.group([one, two], {}).weights]).toEqual([1, 0.1]);
  });

  test("never weighs an instance down when the clock is set back", () => {
    const { at, loads } = given({ slowStartMs: 10_000 });
    loads.group([one], {});
    const list = [one, two];
    loads.group(list, {});
    at.ms = 9_000;
    expect([...loads.group(list, {}).weights]).toEqual([1, 0.9]);
    at.ms = -3_600_000;
    expect([...loads.group(list, {}).weights]).toEqual([1, 0.9]);
    at.ms += 1_000;
    expect([...loads.group(list, {}).weights]).toEqual([1, 1]);
  });
});

describe("the own zone", () => {
  const north = ["n1", "n2", "n3"].map((id) => ({ id, weight: 1, zone: "north" }));
  const south = ["s1", "s2", "s3"].map((id) => ({ id, weight: 1, zone: "south" }));
  const targets = (list: readonly Balanced[], gone: readonly string[] = [], zone = "north") => {
    const { loads } = given();
    const except = gone.length > 0 ? ({ id }: Balanced) => gone.includes(id) : undefined;
    return loads.group(list, { zone, except }).targets.map(({ id }) => id);
  };

  test("is used alone while it has its share of the work", () => {
    expect(targets([...north, ...south])).toEqual(["n1", "n2", "n3"]);
  });

  test("is one among others when too few of it are healthy, or too many ejected", () => {
    const everyone = ["n1", "n2", "n3", "s1", "s2", "s3"];
    expect(targets([...north.slice(0, 1), ...south])).toEqual(["n1", "s1", "s2", "s3"]);
    expect(targets([...north, ...south], ["n1"])).toEqual(everyone);
    expect(targets([...north, ...south], ["s1"])).toEqual(["n1", "n2", "n3"]);
    expect(targets([...north, ...south], ["n1", "n2", "n3"])).toEqual(everyone);
  });

  test("does not matter to a caller whose zone has no instance", () => {
    expect(targets(south)).toEqual(["s1", "s2", "s3"]);
  });
});

test("slow start goes on among those of one zone", () => {
  const { at, loads } = given({ slowStartMs: 10_000, zoneShareMin: 0 });
  const old = { ...one, zone: "north" };
  loads.group([old], {});
  const list = [old, { ...two, zone: "north" }, { id: "far", weight: 1, zone: "south" }];
  loads.group(list, { zone: "north" });
  at.ms = 5_000;
  expect([...loads.group(list, { zone: "north" }).weights]).toEqual([1, 0.5]);
});
