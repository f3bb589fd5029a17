/** The routes of one path, found by what they ask beside it: where values are exact it does not matter how many there are. */
import { type Condition, holds } from "./conditions.ts";
import { byDraw, byHost, byMethod, type Index } from "./exact-indexes.ts";
import { type Candidates, firstOf, type Item, type Search } from "./search.ts";
import { byValue } from "./value-index.ts";

/** Fewer are tried one after another: that costs less than looking up. */
const FEW = 4;

/** Draws come last: by then what the groups' routes ask beside it has told most of them apart. */
const INDEXES: readonly Index[] = [byHost, byMethod, byValue, byDraw];

/** @param items at least one, by rank */
export const candidatesOf = (items: readonly Item[]): Candidates => {
  if (items.length <= FEW) return inOrder(items);
  for (const index of INDEXES) {
    const built = index(items, candidatesOf);
    if (built) return built;
  }
  return inOrder(items);
};

/** Those whose conditions cannot be looked up, and where there are few. */
const inOrder = (items: readonly Item[]): Candidates => ({
  first: firstOf(items),
  search(state) {
    for (const { entry, left } of items) {
      if (entry.rank >= state.best) return;
      state.visited++;
      if (!allHold(left, state)) continue;
      state.best = entry.rank;
      state.found = entry;
      return;
    }
  },
});

const allHold = (conditions: readonly Condition[], { facts, groups }: Search): boolean => {
  for (const condition of conditions) if (!holds(condition, facts, groups)) return false;
  return true;
};
