/** Routes compiled into a tree of path segments, so that a lookup costs what the path is long, not what there are routes. */
import type { Random } from "#shared/runtime/clock.ts";
import { type AskedPath, askedPath } from "./asked-path.ts";
import { candidatesOf } from "./candidates.ts";
import type { CompiledRoute, Found } from "./compiled-route.ts";
import { conditionsOf } from "./conditions.ts";
import { compileCanary, compileDestination, weightSums } from "./destinations.ts";
import { type PathPattern, pathPattern } from "./path-pattern.ts";
import { type RouteQuestion, requestFacts } from "./request-facts.ts";
import { compileRewrite } from "./rewrite-path.ts";
import { listed, type WrittenRoute } from "./route-schema.ts";
import { type Candidates, type Entry, type Search, searchIn } from "./search.ts";
import { compareRanked } from "./specificity.ts";
import { type WeightGroups, weightGroups } from "./weight-groups.ts";

export interface RouteTable {
  /** By name. */
  readonly routes: readonly CompiledRoute[];
  /**
   * The first by priority, then host, path, number of conditions and name, of those that match. Synchronous and without
   * I/O; it allocates nothing but parameters, and what is asked of query, cookies and media types where routes depend on them.
   */
  find(question: RouteQuestion): Found | undefined;
  /** Nodes and routes that the last lookup looked at: its cost, whatever the machine. */
  visited(): number;
}

/**
 * Made once for each configuration.
 * @param routes by name, as the schema has let them through; throws on what it would not have
 * @param random draws among the routes of a weight group
 */
export const compileRoutes = (routes: Readonly<Record<string, WrittenRoute>>, random: Random): RouteTable => {
  const groups = weightGroups(random);
  const names = Object.keys(routes).sort();
  const compiled = new Map(names.map((name) => [name, compileRoute(name, routes[name] as WrittenRoute)]));
  const entries = rankedEntries(routes, compiled, groups);
  const root = treeOf(entries);
  const path = askedPath();
  const state: Search = {
    facts: requestFacts(),
    groups,
    found: undefined,
    best: Number.POSITIVE_INFINITY,
    visited: 0,
  };

  return {
    routes: [...compiled.values()],
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
  };
};

/** What patterns have in common up to some segment. */
interface Node {
  /** The first rank of all that is here and below. */
  first: number;
  readonly literals: Map<string, Node>;
  parameter: Node | undefined;
  /** Patterns that end here. */
  ending: Candidates | undefined;
  /** Patterns that go on from here with anything. */
  rest: Candidates | undefined;
}

/** Looks only where something better than what is found may be; no node is met twice, so the tree's size bounds it all. */
const descend = (node: Node, depth: number, path: AskedPath, state: Search): void => {
  if (node.first >= state.best) return;
  state.visited++;
  if (depth === path.count()) searchIn(node.ending, state);
  else {
    if (node.literals.size > 0) {
      const text = path.text(depth);
      const literal = text === undefined ? undefined : node.literals.get(text);
      if (literal) descend(literal, depth + 1, path, state);
    }
    if (node.parameter && !path.isEmpty(depth)) descend(node.parameter, depth + 1, path, state);
  }
  searchIn(node.rest, state);
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

const compileRoute = (name: string, { to, canary, rewrite }: WrittenRoute): CompiledRoute => {
  const written = listed(to);
  return {
    name,
    destinations: written.map(compileDestination),
    weightSums: weightSums(written),
    canary: canary && compileCanary(canary),
    rewrite: rewrite === undefined ? undefined : compileRewrite(rewrite),
  };
};

const NO_PARAMS = Object.freeze({});

const rankedEntries = (
  routes: Readonly<Record<string, WrittenRoute>>,
  compiled: ReadonlyMap<string, CompiledRoute>,
  groups: WeightGroups,
): Entry[] => {
  const unranked = Array.from(compiled, ([name, route]) => {
    const { match, priority = 0 } = routes[name] as WrittenRoute;
    const conditions = conditionsOf(match, groups);
    return listed(match.path ?? "/*").map((written, place) => {
      const pattern = pathPattern(written);
      const found: Found = { route, params: NO_PARAMS, pattern };
      return { name, route, priority, conditions, pattern, place, found };
    });
  });
  return unranked
    .flat()
    .sort(compareRanked)
    .map((entry, rank) => ({ ...entry, rank }));
};

const emptyNode = (first: number): Node => ({
  first,
  literals: new Map(),
  parameter: undefined,
  ending: undefined,
  rest: undefined,
});

/** @param entries by rank, so that the first to come to a node is its first */
const treeOf = (entries: readonly Entry[]): Node => {
  const root = emptyNode(0);
  const endings = new Map<Node, Entry[]>();
  const rests = new Map<Node, Entry[]>();
  for (const entry of entries) {
    const node = nodeOf(root, entry.pattern, entry.rank);
    const lists = entry.pattern.rest ? rests : endings;
    const list = lists.get(node);
    if (list) list.push(entry);
    else lists.set(node, [entry]);
  }
  for (const [node, list] of endings) node.ending = candidatesFor(list);
  for (const [node, list] of rests) node.rest = candidatesFor(list);
  return root;
};

const candidatesFor = (entries: readonly Entry[]): Candidates =>
  candidatesOf(entries.map((entry) => ({ entry, left: entry.conditions })));

const nodeOf = (root: Node, { segments }: PathPattern, rank: number): Node => {
  let node = root;
  for (const segment of segments) {
    const known = segment.kind === "literal" ? node.literals.get(segment.text) : node.parameter;
    const next = known ?? emptyNode(rank);
    if (segment.kind === "literal") node.literals.set(segment.text, next);
    else node.parameter = next;
    node = next;
  }
  return node;
};
