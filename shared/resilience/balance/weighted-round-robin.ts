/** Smooth weighted round robin: in turn, each as often as its weight says, the turns of one spread out evenly. */
import type { Random } from "../../runtime/clock.ts";
import { type Balanced, type Balancer, NO_WISHES, type PickOptions } from "./balancer.ts";
import type { Group, InstanceLoads } from "./instance-loads.ts";

/** @param random where the first turn begins: were it the same in all isolates, one instance would get all first requests */
export const weightedRoundRobin = <Target extends Balanced>(
  loads: InstanceLoads<Target>,
  random: Random,
): Balancer<Target> => {
  const creditsOf = new WeakMap<Group<Target>, Float64Array>();

  const creditsFor = (group: Group<Target>): Float64Array => {
    const known = creditsOf.get(group);
    if (known) return known;
    const credits = new Float64Array(group.targets.length);
    creditsOf.set(group, credits);
    for (let turn = Math.floor(random() * group.targets.length); turn > 0; turn--) nextTurn(group, credits);
    return credits;
  };

  return {
    pick(eligible, options = NO_WISHES) {
      const group = loads.group(eligible, options);
      return group.targets[nextTurn(group, creditsFor(group), options.except)];
    },
    started: loads.started,
    finished: loads.finished,
  };
};

/** nginx's: each gets its weight in credit, the richest has the turn and pays for all. -1 when all are excepted. */
const nextTurn = <Target extends object>(
  { targets, weights }: Group<Target>,
  credits: Float64Array,
  except?: PickOptions<Target>["except"],
): number => {
  let sum = 0;
  let richest = -1;
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!target || except?.(target)) continue;
    const weight = weights[index] ?? 0;
    sum += weight;
    const credit = (credits[index] ?? 0) + weight;
    credits[index] = credit;
    if (richest < 0 || credit > (credits[richest] ?? 0)) richest = index;
  }
  if (richest >= 0) credits[richest] = (credits[richest] ?? 0) - sum;
  return richest;
};
