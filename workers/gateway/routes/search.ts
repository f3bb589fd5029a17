/** A lookup under way: what it asks, the best route so far, and how much was looked at. */

import type { CompiledRoute, Found } from "./compiled-route.ts";
import type { Condition } from "./conditions.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { Ranked } from "./specificity.ts";
import type { WeightGroups } from "./weight-groups.ts";

/** One way to a route: by one of its patterns. */
export interface Entry extends Ranked {
  readonly route: CompiledRoute;
  /** Its place in the order of all of a table; 0 is looked at first. */
  readonly rank: number;
  /** The answer where the pattern has no parameters: always the same. */
  readonly found: Found;
}

export interface Search {
  readonly facts: RequestFacts;
  readonly groups: WeightGroups;
  found: Entry | undefined;
  /** The rank of `found`, Infinity when there is none. */
  best: number;
  /** Nodes and entries looked at: what a lookup costs, whatever the machine. */
  visited: number;
}

/** Some of the entries of one path. */
export interface Candidates {
  /** The rank of the first of them: when a better one is known already, there is nothing to look for. */
  readonly first: number;
  /** Leaves the first that matches in `state`, if it comes before what is there. */
  search(state: Search): void;
}

/** An entry with the conditions that still have to be tried. */
export interface Item {
  readonly entry: Entry;
  readonly left: readonly Condition[];
}

export const searchIn = (candidates: Candidates | undefined, state: Search): void => {
  if (candidates === undefined || candidates.first >= state.best) return;
  state.visited++;
  candidates.search(state);
};

/** @param items by rank */
export const firstOf = (items: readonly Item[]): number => items[0]?.entry.rank ?? Number.POSITIVE_INFINITY;

/** Infinity of none. */
export const leastFirst = (all: Iterable<{ readonly first: number }>): number => {
  let least = Number.POSITIVE_INFINITY;
  for (const { first } of all) least = Math.min(least, first);
  return least;
};
