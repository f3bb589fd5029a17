/** Power of two choices: of two drawn by weight the one that is likely to answer sooner. */
import type { Random } from "../../runtime/clock.ts";
import { type Balanced, type Balancer, NO_WISHES } from "./balancer.ts";
import { drawByWeight } from "./draw-by-weight.ts";
import type { InstanceLoads } from "./instance-loads.ts";

/** Two, not the best of all: isolates do not know of each other, and would all run to the same best one. */
export const powerOfTwo = <Target extends Balanced>(
  loads: InstanceLoads<Target>,
  random: Random,
): Balancer<Target> => ({
  pick(eligible, options = NO_WISHES) {
    const group = loads.group(eligible, options);
    const one = drawByWeight(group, random, options.except);
    if (one < 0) return undefined;
    const other = drawByWeight(group, random, options.except, one);
    const better = other >= 0 && group.score(other) < group.score(one) ? other : one;
    return group.targets[better];
  },
  started: loads.started,
  finished: loads.finished,
});
