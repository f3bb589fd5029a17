/** A client goes where it went before, as long as that instance may get work; else another balancer chooses. */
import { type Balanced, type Balancer, NO_WISHES } from "./balancer.ts";
import type { InstanceLoads } from "./instance-loads.ts";
import { stickyTargets } from "./sticky.ts";

/**
 * The `key` of a pick is the cookie's value. Its instance gets the request whatever its zone and its load; a value that names
 * nobody who may get work is no wish.
 * @param loads the other balancer's own
 */
export const stickyBalancer = <Target extends Balanced>(
  loads: InstanceLoads<Target>,
  other: Balancer<Target>,
): Balancer<Target> => {
  const sticky = stickyTargets<Target>();
  return {
    pick(eligible, options = NO_WISHES) {
      const { key, zone, except } = options;
      if (key === undefined) return other.pick(eligible, options);
      const named = sticky.named(key, eligible, except);
      if (!named) return other.pick(eligible, { zone, except });
      // The loads must know of a list before they are told of its requests.
      loads.group(eligible, NO_WISHES);
      return named;
    },
    started: other.started,
    finished: other.finished,
  };
};
