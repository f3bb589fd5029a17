/** Groups of routes that share what they match: for each request one route of a group is drawn, by its share. */
import type { Random } from "#shared/runtime/clock.ts";

export interface WeightGroups {
  /** A route's place in its group, by which it is drawn. */
  add(group: string, share: number): { readonly group: number; readonly member: number };
  /** A new request: nothing is drawn yet. */
  next(): void;
  /** The same member whenever it is asked about one request; -1 when nobody has a share. */
  drawn(group: number): number;
  /** Groups that ever had a member. */
  size(): number;
  /** The same groups under the same numbers for another table, but that these have no members yet. */
  without(names: ReadonlySet<string>): WeightGroups;
}

/** The number of each group by its name, and of each group by its number its members' shares summed up. */
interface Known {
  readonly numbers: Map<string, number>;
  readonly sums: number[][];
}

export const weightGroups = (random: Random): WeightGroups =>
  groupsOf({ numbers: new Map(), sums: [] }, random);

const groupsOf = ({ numbers, sums }: Known, random: Random): WeightGroups => {
  const drawnMembers: number[] = sums.map(() => -1);
  const drawnAt: number[] = sums.map(() => -1);
  let request = 0;

  return {
    add(name, share) {
      const group = numbers.get(name) ?? sums.length;
      if (group === sums.length) {
        numbers.set(name, group);
        sums.push([]);
        drawnMembers.push(-1);
        drawnAt.push(-1);
      }
      const all = sums[group] as number[];
      all.push((all.at(-1) ?? 0) + share);
      return { group, member: all.length - 1 };
    },
    next() {
      request++;
    },
    drawn(group) {
      if (drawnAt[group] === request) return drawnMembers[group] as number;
      drawnAt[group] = request;
      const member = drawBySums(sums[group] as number[], random);
      drawnMembers[group] = member;
      return member;
    },
    size: () => sums.length,
    without(names) {
      const empty = new Set([...names].map((name) => numbers.get(name)));
      const others = sums.map((all, group) => (empty.has(group) ? [] : all));
      return groupsOf({ numbers: new Map(numbers), sums: others }, random);
    },
  };
};

/** An index, as often as its sum is above the one before; -1 when all shares are 0. Logarithmic, nothing is allocated. */
export const drawBySums = (sums: readonly number[], random: Random): number => {
  const all = sums.at(-1) ?? 0;
  if (all <= 0) return -1;
  const point = random() * all;
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (point < (sums[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
};
