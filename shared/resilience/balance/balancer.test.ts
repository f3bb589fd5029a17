import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clock, Random } from "../../runtime/clock.ts";
import type { Balanced, Balancer } from "./balancer.ts";
import { consistentHash } from "./consistent-hash.ts";
import { type InstanceLoads, instanceLoads } from "./instance-loads.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { stickyBalancer } from "./sticky-balancer.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

type Make = (loads: InstanceLoads<Balanced>, random: Random) => Balancer<Balanced>;

const balancers: readonly (readonly [string, Make])[] = [
  ["power of two", powerOfTwo],
  ["weighted round robin", weightedRoundRobin],
  ["consistent hash", consistentHash],
  ["sticky", (loads, random) => stickyBalancer(loads, powerOfTwo(loads, random))],
];

const anyList = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom(..."abcdefghij"),
    weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.double({ min: 1e-9, max: 1e6, noNaN: true })),
    zone: fc.constantFrom("north", "south", "west"),
  }),
  { selector: ({ id }) => id, maxLength: 8 },
);

const anyRandom = fc.oneof(
  fc.constantFrom(0, 1 - 2 ** -53, 0.5),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
);

const anyStep = fc.record({
  list: fc.option(anyList, { nil: undefined, freq: 4 }),
  random: anyRandom,
  clockMs: fc.integer({ min: -20_000, max: 20_000 }),
  except: fc.option(fc.array(fc.constantFrom(..."abcdefghij")), { nil: undefined }),
  zone: fc.constantFrom(undefined, "north", "south", "nowhere"),
  key: fc.option(fc.string(), { nil: undefined }),
  finishes: fc.nat({ max: 3 }),
  tookMs: fc.nat({ max: 5_000 }),
  failed: fc.boolean(),
});

test.each(balancers)(
  "%s chooses one that is eligible and not excepted, whenever there is one",
  (_name, make) => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), fc.nat({ max: 10_000 }), (steps, slowStartMs) => {
        let step = steps[0];
        const clock: Clock = () => step?.clockMs ?? 0;
        const random: Random = () => step?.random ?? 0;
        const loads = instanceLoads<Balanced>(clock, {
          slowStartMs,
          heldMsMax: () => Number.POSITIVE_INFINITY,
        });
        const balancer = make(loads, random);
        const open: Balanced[] = [];
        let eligible: readonly Balanced[] = [];
        for (step of steps) {
          eligible = step.list ?? eligible;
          const { except, zone, key, tookMs, failed } = step;
          const allowed = eligible.filter(({ id }) => !except?.includes(id));
          const chosen = balancer.pick(eligible, {
            key,
            zone,
            except: except && (({ id }) => except.includes(id)),
          });
          if (allowed.length === 0) expect(chosen).toBeUndefined();
          else expect(allowed).toContain(chosen);
          if (chosen) {
            balancer.started(chosen);
            open.push(chosen);
          }
          for (const each of open.splice(0, step.finishes)) balancer.finished(each, { tookMs, failed });
          // What has come, gone and come again while a request was under way still counts that request, once.
          for (const { id } of eligible) {
            expect(loads.inFlight(id)).toBe(open.filter((each) => each.id === id).length);
          }
          const remembered = new Set([...eligible, ...open].map(({ id }) => id));
          expect(loads.size()).toBe(remembered.size);
        }
      }),
      { numRuns: 400 },
    );
  },
);

test("a request that is finished twice is counted once", () => {
  const loads = instanceLoads<Balanced>(() => 0);
  const list = [{ id: "a", weight: 1 }];
  const [a] = list;
  if (!a) throw new Error("no instance");
  loads.group(list, {});
  loads.started(a);
  loads.finished(a, { tookMs: 1, failed: false });
  loads.finished(a, { tookMs: 1, failed: false });
  expect(loads.inFlight("a")).toBe(0);
});
