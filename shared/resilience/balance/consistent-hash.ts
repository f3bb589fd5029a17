/** Consistent hashing: a key stays with its instance, and only those move whose instance comes or goes. */
import { fmix32 } from "../../cqrs/fmix32.ts";
import { fnv1a } from "../../cqrs/fnv1a.ts";
import type { Random } from "../../runtime/clock.ts";
import { type Balanced, type Balancer, NO_WISHES, type PickOptions } from "./balancer.ts";
import { drawByWeight } from "./draw-by-weight.ts";
import type { Group, InstanceLoads } from "./instance-loads.ts";

/**
 * Weighted rendezvous hashing: the same instance in every isolate, without a table. Linear in the instances, of which a
 * service has at most a hundred. Who has no key gets one by weight; the zone is not regarded where there is a key.
 */
export const consistentHash = <Target extends Balanced>(
  loads: InstanceLoads<Target>,
  random: Random,
): Balancer<Target> => {
  const seedsOf = new WeakMap<Group<Target>, Uint32Array>();

  const seedsFor = (group: Group<Target>): Uint32Array => {
    const known = seedsOf.get(group);
    if (known) return known;
    const seeds = Uint32Array.from(group.targets, ({ id }) => fmix32(fnv1a(id)));
    seedsOf.set(group, seeds);
    return seeds;
  };

  return {
    pick(eligible, options = NO_WISHES) {
      const { key, except } = options;
      if (key === undefined) {
        const group = loads.group(eligible, options);
        return group.targets[drawByWeight(group, random, except)];
      }
      const group = loads.group(eligible, NO_WISHES);
      return group.targets[highest(group, seedsFor(group), fnv1a(key), except)];
    },
    started: loads.started,
    finished: loads.finished,
  };
};

/** Each draws a lot by key and id; the lots' logarithm by weight makes shares exact. -1 when all are excepted. */
const highest = <Target extends object>(
  { targets, weights }: Group<Target>,
  seeds: Uint32Array,
  hash: number,
  except: PickOptions<Target>["except"],
): number => {
  let chosen = -1;
  let best = Number.POSITIVE_INFINITY;
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!target || except?.(target)) continue;
    const lot = (fmix32(hash ^ (seeds[index] ?? 0)) + 0.5) / 2 ** 32;
    const wait = -Math.log(lot) / (weights[index] ?? 0);
    if (wait < best) {
      best = wait;
      chosen = index;
    }
  }
  return chosen;
};
