/** Drawing an instance from a group, each as often as its weight says. */
import type { Random } from "../../runtime/clock.ts";
import type { PickOptions } from "./balancer.ts";
import type { Group } from "./instance-loads.ts";

type Drawn<Target> = Pick<Group<Target>, "targets" | "weights" | "sums">;

/** Few are excepted as a rule: then one of these draws finds somebody, and not all need be asked. */
const DRAWS = 3;

/**
 * Its index; -1 when there is none. Without allocation; logarithmic unless most are excepted.
 * @param but an index that is not drawn, -1 for none
 */
export const drawByWeight = <Target extends object>(
  group: Drawn<Target>,
  random: Random,
  except: PickOptions<Target>["except"],
  but = -1,
): number => {
  if (!except) return drawAny(group, random, but);
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = drawAny(group, random, but);
    const target = group.targets[drawn];
    if (target && !except(target)) return drawn;
  }
  return drawAllowed(group, random, except, but);
};

const drawAny = <Target extends object>(
  { targets, weights, sums }: Drawn<Target>,
  random: Random,
  but: number,
): number => {
  const last = targets.length - 1;
  if (last <= 0) return last === but ? -1 : last;
  const left = but < 0 ? 0 : (weights[but] ?? 0);
  let point = random() * ((sums[last] ?? 0) - left);
  if (but >= 0 && point >= (sums[but] ?? 0) - left) point += left;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (point < (sums[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  // Sums are rounded: the edge of a neighbour may fall to the one left out.
  if (low === but) return low === last ? low - 1 : low + 1;
  return low;
};

const drawAllowed = <Target extends object>(
  { targets, weights }: Drawn<Target>,
  random: Random,
  except: (target: Target) => boolean,
  but: number,
): number => {
  let sum = 0;
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (target && index !== but && !except(target)) sum += weights[index] ?? 0;
  }
  if (sum === 0) return -1;
  let point = random() * sum;
  let drawn = -1;
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!target || index === but || except(target)) continue;
    drawn = index;
    point -= weights[index] ?? 0;
    if (point < 0) break;
  }
  return drawn;
};
