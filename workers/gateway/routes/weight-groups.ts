/** Groups of routes that share what they match: for each request one route of a group is drawn, by its share. */
import type { Random } from "#shared/runtime/clock.ts";

export interface WeightGroups {
  /** A route's place in its group, by which it is drawn. */
  add(group: string, share: number): { readonly group: number; readonly member: number };
  /** A new request: nothing is drawn yet. */
  next(): void;
  /** The same member whenever it is asked about one request; -1 when nobody has a share. */
  drawn(group: number): number;
}

export const weightGroups = (random: Random): WeightGroups => {
  const numbers = new Map<string, number>();
  /** Of each group, its members' shares summed up. */
  const sums: number[][] = [];
  const drawnMembers: number[] = [];
  const drawnAt: number[] = [];
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
