/** Routes compiled into a tree of path segments, so that a lookup costs what the path is long, not what there are routes. */
import { LIMITS } from "#shared/limits.ts";
import type { Random } from "#shared/runtime/clock.ts";
import { type AskedPath, askedPath } from "./asked-path.ts";
import type { Found } from "./compiled-route.ts";
import type { RouteQuestion } from "./request-facts.ts";
import { requestFacts } from "./request-facts.ts";
import { routeEntries } from "./route-entries.ts";
import type { WrittenRoute } from "./route-schema.ts";
import { descend, EMPTY_TREE, type RouteNode, treeChange } from "./route-tree.ts";
import type { Entry, Search } from "./search.ts";
import { compareRanked, type Ranked } from "./specificity.ts";
import { type WeightGroups, weightGroups } from "./weight-groups.ts";

export type WrittenRoutes = Readonly<Record<string, WrittenRoute>>;

export interface RouteTable {
  /**
   * The first by priority, then host, path, number of conditions, `HEAD` by its name, and name, of
   * those that match. Synchronous and without I/O; it allocates nothing but parameters, and what is asked of query, cookies and media types where routes depend on them.
   */
  find(question: RouteQuestion): Found | undefined;
  /** Nodes and routes that the last lookup looked at: its cost, whatever the machine. */
  visited(): number;
  /** The table of other routes. What is the very same object in both is taken over: it costs what has changed. */
  changed(routes: WrittenRoutes): RouteTable;
}

/**
 * @param routes by name, as the schema has let them through; throws on what it would not have
 * @param random draws among the routes of a weight group
 */
export const compileRoutes = (routes: WrittenRoutes, random: Random): RouteTable =>
  tableOf(everything(routes, random), random);

/** What a table is made of, none of which ever changes. */
interface Made {
  readonly routes: WrittenRoutes;
  /** By rank. */
  readonly entries: readonly Entry[];
  readonly root: RouteNode;
  readonly groups: WeightGroups;
}

const tableOf = (made: Made, random: Random): RouteTable => {
  const { root, groups } = made;
  const path = askedPath();
  const state: Search = {
    facts: requestFacts(),
    groups,
    found: undefined,
    best: Number.POSITIVE_INFINITY,
    visited: 0,
  };

  return {
    find(question) {
      state.visited = 0;
      if (!path.about(question.path)) return undefined;
      groups.next();
      state.facts.about(question);
      descend(root, 0, path, state);
      const entry = state.found;
      const found = entry && answerOf(entry, path);
      state.found = undefined;
      state.best = Number.POSITIVE_INFINITY;
      state.facts.about(undefined);
      return found;
    },
    visited: () => state.visited,
    changed: (routes) => tableOf(changed(made, routes) ?? everything(routes, random), random),
  };
};

const answerOf = (entry: Entry, path: AskedPath): Found => {
  const { segments } = entry.pattern;
  let params: Record<string, string> | undefined;
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index];
    if (segment?.kind !== "parameter") continue;
    params ??= {};
    params[segment.name] = path.value(index);
  }
  return params ? { route: entry.route, params, pattern: entry.pattern } : entry.found;
};

const everything = (routes: WrittenRoutes, random: Random): Made => {
  const groups = weightGroups(random);
  const names = Object.keys(routes).sort();
  const entries = names
    .flatMap((name) => routeEntries(name, routes[name] as WrittenRoute, groups))
    .sort(compareRanked)
    .map((entry, rank) => ({ ...entry, rank }));
  const tree = treeChange(EMPTY_TREE);
  for (const entry of entries) tree.add(entry);
  return { routes, entries, root: tree.finish(), groups };
};

/** With more of all routes changed, beginning anew costs no more. */
const CHANGED_SHARE = 0.2;

/** Undefined where everything is to be made anew. */
const changed = (made: Made, routes: WrittenRoutes): Made | undefined => {
  const direct = changedNames(made.routes, routes);
  if (direct.size === 0) return { ...made, routes };
  const groupNames = new Set([...direct].flatMap((name) => groupsOf(name, [made.routes, routes])));
  const names = groupNames.size === 0 ? direct : withMembers(direct, routes, groupNames);
  if (names.size > Object.keys(routes).length * CHANGED_SHARE) return undefined;
  // Groups keep their numbers when nobody is in them any more.
  if (made.groups.size() > LIMITS.routes) return undefined;
  const groups = made.groups.without(groupNames);
  const tree = treeChange(made.root);
  const entries: Entry[] = [];
  for (const entry of made.entries) {
    if (names.has(entry.name)) tree.remove(entry);
    else entries.push(entry);
  }
  for (const name of [...names].sort()) {
    if (!Object.hasOwn(routes, name)) continue;
    for (const unranked of routeEntries(name, routes[name] as WrittenRoute, groups)) {
      const place = orderedPlace(entries, unranked);
      const rank = rankBetween(entries[place - 1], entries[place]);
      if (rank === undefined) return undefined;
      const entry = { ...unranked, rank };
      entries.splice(place, 0, entry);
      tree.add(entry);
    }
  }
  return { routes, entries, root: tree.finish(), groups };
};

const changedNames = (before: WrittenRoutes, after: WrittenRoutes): Set<string> => {
  const names = new Set<string>();
  for (const name of Object.keys(after)) if (before[name] !== after[name]) names.add(name);
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) names.add(name);
  return names;
};

const groupOf = (routes: WrittenRoutes, name: string): string | undefined =>
  Object.hasOwn(routes, name) ? routes[name]?.match.weight?.group : undefined;

const groupsOf = (name: string, sides: readonly WrittenRoutes[]): string[] =>
  sides.map((routes) => groupOf(routes, name)).filter((group) => group !== undefined);

/** Where one route of a group changes, the draw of all of them does. */
const withMembers = (
  names: ReadonlySet<string>,
  routes: WrittenRoutes,
  groups: ReadonlySet<string>,
): Set<string> => {
  const members = Object.keys(routes).filter((name) => groups.has(groupOf(routes, name) ?? ""));
  return new Set([...names, ...members]);
};

const orderedPlace = (entries: readonly Entry[], entry: Ranked): number => {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareRanked(entries[middle] as Entry, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Undefined where two ranks have no number left between them, after some fifty insertions at one place. */
const rankBetween = (before: Entry | undefined, after: Entry | undefined): number | undefined => {
  const low = before?.rank ?? (after ? after.rank - 2 : -1);
  const high = after?.rank ?? low + 2;
  const rank = (low + high) / 2;
  return rank > low && rank < high ? rank : undefined;
};
