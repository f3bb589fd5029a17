import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import type { Random } from "../../runtime/clock.ts";
import type { Balanced, Balancer } from "./balancer.ts";
import { consistentHash } from "./consistent-hash.ts";
import { type InstanceLoads, instanceLoads, type LoadSettings } from "./instance-loads.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { stickySetCookie, stickyValue } from "./sticky.ts";
import { stickyBalancer } from "./sticky-balancer.ts";
import { subsetOf } from "./subset.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

/** mulberry32: the same requests in every run. */
type Make = (loads: InstanceLoads<Balanced>, random: Random) => Balancer<Balanced>;

const sticky: Make = (loads, random) => stickyBalancer(loads, powerOfTwo(loads, random));
const balancers: readonly (readonly [string, Make])[] = [
  ["power of two", powerOfTwo],
  ["weighted round robin", weightedRoundRobin],
  ["consistent hash without keys", consistentHash],
  ["sticky", sticky],
];

const given = (make: Make, seed = 1, settings: LoadSettings = {}) => {
  const at = { ms: 0 };
  const loads = instanceLoads<Balanced>(() => at.ms, settings);
  return { at, loads, balancer: make(loads, seededRandom(seed)) };
};

const anyList = (min = 1) =>
  fc
    .array(fc.record({ weight: fc.integer({ min: 1, max: 4 }), zone: fc.constantFrom("north", "south") }), {
      minLength: min,
      maxLength: 6,
    })
    .map((all) => all.map((each, index): Balanced => ({ id: `i${index}`, ...each })));

describe.each(balancers)("%s", (_, make) => {
  test("starves nobody, whatever each has cost before and however requests end", () => {
    fc.assert(
      fc.property(
        anyList(),
        fc.nat(),
        fc.array(fc.nat({ max: 5_000 }), { minLength: 6, maxLength: 6 }),
        (list, seed, costs) => {
          const { at, balancer } = given(make, seed);
          const got = new Map(list.map(({ id }) => [id, 0]));
          for (let request = 0; request < 1_500; request++) {
            at.ms += 200;
            const target = balancer.pick(list);
            if (!target) throw new Error("nobody was chosen");
            balancer.started(target);
            const tookMs = request < 50 ? (costs[list.indexOf(target)] ?? 0) : 5;
            // Each fiftieth request is dropped: its end is never told.
            if (request % 50 !== 49) balancer.finished(target, { tookMs, failed: request % 7 === 0 });
            got.set(target.id, (got.get(target.id) ?? 0) + 1);
          }
          for (const count of got.values()) expect(count).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("sends all work to the living, in the own zone while that has room, wherever the list is cut", () => {
    const gone = fc.uniqueArray(fc.nat({ max: 5 }));
    fc.assert(
      fc.property(anyList(2), fc.array(gone, { maxLength: 12 }), fc.nat(), (list, deaths, seed) => {
        const { balancer } = given(make, seed);
        const cut = subsetOf(list, ({ id }) => id !== "i0");
        for (const dead of deaths) {
          for (const eligible of [list, cut]) {
            const except = ({ id }: Balanced) => dead.includes(Number(id.slice(1)));
            const living = eligible.filter((target) => !except(target));
            const chosen = balancer.pick(eligible, { zone: "north", except });
            if (living.length === 0) expect(chosen).toBeUndefined();
            else expect(living).toContain(chosen);
            const weight = (some: readonly Balanced[]) => some.reduce((sum, each) => sum + each.weight, 0);
            const zones = new Set(eligible.map(({ zone }) => zone)).size;
            const near = weight(living.filter(({ zone }) => zone === "north"));
            if (near > 0 && near >= (0.7 * weight(eligible)) / zones) expect(chosen?.zone).toBe("north");
          }
        }
      }),
    );
  });
});

describe("a sticky client", () => {
  const list = [0, 1, 2, 3].map(
    (index): Balanced => ({ id: `i${index}`, weight: 1, zone: index ? "south" : "north" }),
  );

  test("stays with its instance while that may get work, and then with the next one", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat({ max: 3 }), { maxLength: 3 })),
        fc.nat(),
        (ejections, seed) => {
          const { balancer } = given(sticky, seed);
          let cookie: string | undefined;
          for (const ejected of ejections) {
            const except = ({ id }: Balanced) => ejected.includes(Number(id.slice(1)));
            const before = list.find((target) => stickyValue(target) === cookie);
            const chosen = balancer.pick(list, { key: cookie, except, zone: "north" });
            if (!chosen) throw new Error("nobody was chosen");
            if (before && !except(before)) expect(chosen).toBe(before);
            const set = stickySetCookie("at", chosen, { had: cookie, secure: false });
            expect(set === undefined).toBe(chosen === before);
            cookie = set === undefined ? cookie : /^at=([^;]+);/.exec(set)?.[1];
            expect(cookie).toBe(stickyValue(chosen));
          }
        },
      ),
    );
  });

  test("gets a cookie that scripts cannot read and other sites cannot use, and that tells no address", () => {
    const target = { id: "10.0.0.7:8080" };
    const secure = stickySetCookie("at", target, { had: undefined, secure: true });
    expect(secure).toMatch(/^at=[0-9a-z]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(stickySetCookie("at", target, { had: "gone", secure: false })).toMatch(/SameSite=Lax$/);
    expect(stickySetCookie("at", target, { had: stickyValue(target), secure: true })).toBeUndefined();
  });

  test("whose value nobody has set is sent as any other", () => {
    const { balancer } = given(sticky);
    const chosen = new Set(Array.from({ length: 50 }, () => balancer.pick(list, { key: "made up" })?.id));
    expect(chosen.size).toBeGreaterThan(1);
  });

  test("counts as its instance's work from the first request on", () => {
    const { balancer, loads } = given(sticky);
    const target = balancer.pick(list, { key: stickyValue(list[2] as Balanced) });
    expect(target?.id).toBe("i2");
    if (target) balancer.started(target);
    expect(loads.inFlight("i2")).toBe(1);
  });
});

test("requests that the runtime has dropped weigh on their instance only for a time", () => {
  const [one, two]: Balanced[] = [
    { id: "one", weight: 1 },
    { id: "two", weight: 1 },
  ];
  if (!one || !two) throw new Error("no instances");
  const list = [one, two];
  const { at, loads } = given(powerOfTwo, 1, { heldMsMax: () => 31_000 });
  loads.group(list, {});
  for (let dropped = 0; dropped < 10; dropped++) loads.started(one);
  at.ms = 31_000;
  loads.group(list, {});
  expect(loads.inFlight("one")).toBe(10);
  at.ms = 32_001;
  loads.started(one);
  loads.group(list, {});
  expect(loads.inFlight("one")).toBe(1);
});

test("an instance that has left is forgotten, though its last request was dropped", () => {
  const list: Balanced[] = [{ id: "one", weight: 1 }];
  const { at, loads } = given(powerOfTwo, 1, { heldMsMax: () => 1_000 });
  loads.group(list, {});
  loads.started(list[0] as Balanced);
  loads.group([], {});
  expect(loads.size()).toBe(1);
  at.ms = 5_000;
  loads.group([], {});
  expect(loads.size()).toBe(0);
});

test("what is known of instances outlasts looking at some of them only", () => {
  const list: Balanced[] = ["a", "b", "c"].map((id) => ({ id, weight: 1 }));
  const cut = subsetOf(list, ({ id }) => id !== "a");
  const { at, loads } = given(powerOfTwo, 1, { slowStartMs: 10_000 });
  const [a] = list;
  if (!a) throw new Error("no instance");
  loads.group(list, {});
  loads.started(a);
  loads.finished(a, { tookMs: 400, failed: false });
  at.ms = 5_000;
  expect([...loads.group(cut, {}).weights]).toEqual([1, 1]);
  expect([...loads.group(list, {}).weights]).toEqual([1, 1, 1]);
  expect(loads.group(list, {}).score(0)).toBeCloseTo(400 * Math.exp(-0.5), 6);
});
