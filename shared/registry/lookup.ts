/** Which instances of a service may get work, worked out once for each entry of the registry. */
import type { Random } from "../runtime/clock.ts";
import { type Instance, majorOf, type ServiceEntry } from "./instance.ts";

/** Those that may get work, each with the sum of the weights up to it; empty when none may. */
export interface Eligible<Target> {
  readonly targets: readonly Target[];
  readonly sums: readonly number[];
}

export interface ServiceLookup<Target> {
  /** Every major version that has an instance in any state, ascending. */
  readonly majors: ReadonlyMap<number, Eligible<Target>>;
}

export type RegistryLookup<Target> = (entry: ServiceEntry) => ServiceLookup<Target>;

/**
 * Eligible are the instances that are up; when none is up those that are degraded; never others, and none of weight 0.
 * @param targetOf what is chosen in the instance's place; undefined when the instance cannot be reached from here
 */
export const registryLookup = <Target>(
  targetOf: (instance: Instance, service: string) => Target | undefined,
): RegistryLookup<Target> => {
  // Entries never change: a changed service is another object, and the old one's lookup goes with it.
  const compiled = new WeakMap<ServiceEntry, ServiceLookup<Target>>();
  return (entry) => {
    const known = compiled.get(entry);
    if (known) return known;
    const lookup = compile(entry, targetOf);
    compiled.set(entry, lookup);
    return lookup;
  };
};

/** One of them, each as often as its weight says; undefined when there is none. Logarithmic, without allocation. */
export const chooseInstance = <Target>(
  { targets, sums }: Eligible<Target>,
  random: Random,
): Target | undefined => {
  const last = targets.length - 1;
  if (last <= 0) return targets[0];
  const point = random() * (sums[last] ?? 0);
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (point < (sums[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return targets[low];
};

interface Candidate<Target> {
  readonly instance: Instance;
  readonly target: Target;
}

const compile = <Target>(
  { service, instances }: ServiceEntry,
  targetOf: (instance: Instance, service: string) => Target | undefined,
): ServiceLookup<Target> => {
  const byMajor = [...Map.groupBy(instances, ({ version }) => majorOf(version))];
  const majors = byMajor
    .sort(([one], [other]) => one - other)
    .map(([major, group]) => {
      const candidates = group.flatMap((instance): Candidate<Target>[] => {
        if (!(instance.weight > 0)) return [];
        const target = targetOf(instance, service);
        return target === undefined ? [] : [{ instance, target }];
      });
      return [major, eligibleOf(candidates)] as const;
    });
  return { majors: new Map(majors) };
};

const eligibleOf = <Target>(candidates: readonly Candidate<Target>[]): Eligible<Target> => {
  const up = candidates.filter(({ instance }) => instance.state === "up");
  const chosen = up.length > 0 ? up : candidates.filter(({ instance }) => instance.state === "degraded");
  let sum = 0;
  return {
    targets: chosen.map(({ target }) => target),
    sums: chosen.map(({ instance }) => {
      sum += instance.weight;
      return sum;
    }),
  };
};
