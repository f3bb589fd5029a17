/** A tree of path segments. Another tree is made of it by copying only the nodes on the way to what changes. */
import type { AskedPath } from "./asked-path.ts";
import { candidatesOf } from "./candidates.ts";
import type { PathPattern } from "./path-pattern.ts";
import { type Candidates, type Entry, leastFirst, type Search, searchIn } from "./search.ts";

/** What patterns have in common up to some segment. */
export interface RouteNode {
  /** The first rank of all that is here and below. */
  readonly first: number;
  readonly literals: ReadonlyMap<string, RouteNode>;
  readonly parameter: RouteNode | undefined;
  /** Patterns that end here. */
  readonly ending: Leaf | undefined;
  /** Patterns that go on from here with anything. */
  readonly rest: Leaf | undefined;
}

interface Leaf {
  /** By rank; one at least. */
  readonly entries: readonly Entry[];
  readonly candidates: Candidates;
}

/** A change of a tree, which itself stays as it is. */
export interface TreeChange {
  add(entry: Entry): void;
  remove(entry: Entry): void;
  /** The tree with everything that was added and without what was removed. */
  finish(): RouteNode;
}

export const EMPTY_TREE: RouteNode = {
  first: Number.POSITIVE_INFINITY,
  literals: new Map(),
  parameter: undefined,
  ending: undefined,
  rest: undefined,
};

/** Looks only where something better than what is found may be; no node is met twice, so the tree's size bounds it all. */
export const descend = (node: RouteNode, depth: number, path: AskedPath, state: Search): void => {
  if (node.first >= state.best) return;
  state.visited++;
  if (depth === path.count()) searchIn(node.ending?.candidates, state);
  else {
    if (node.literals.size > 0) {
      const text = path.text(depth);
      const literal = text === undefined ? undefined : node.literals.get(text);
      if (literal) descend(literal, depth + 1, path, state);
    }
    if (node.parameter && !path.isEmpty(depth)) descend(node.parameter, depth + 1, path, state);
  }
  searchIn(node.rest?.candidates, state);
};

/** A node of the change's own: a copy, made when something below it or of it changes. */
interface Draft {
  readonly from: RouteNode;
  readonly literals: Map<string, Draft>;
  parameter: Draft | undefined;
  ending: Entry[] | undefined;
  rest: Entry[] | undefined;
}

export const treeChange = (tree: RouteNode): TreeChange => {
  const root = draftOf(tree);
  return {
    add(entry) {
      const entries = entriesAt(root, entry.pattern);
      entries.splice(placeOf(entries, entry.rank), 0, entry);
    },
    remove(entry) {
      const entries = entriesAt(root, entry.pattern);
      const place = placeOf(entries, entry.rank);
      if (entries[place] === entry) entries.splice(place, 1);
    },
    finish: () => finished(root),
  };
};

/** Where an entry of this rank stands among entries by rank, or would stand. */
const placeOf = (entries: readonly Entry[], rank: number): number => {
  let low = 0;
  let high = entries.length;
  if (high > 0 && (entries[high - 1] as Entry).rank < rank) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).rank < rank) low = middle + 1;
    else high = middle;
  }
  return low;
};

const draftOf = (from: RouteNode): Draft => ({
  from,
  literals: new Map(),
  parameter: undefined,
  ending: undefined,
  rest: undefined,
});

const entriesAt = (root: Draft, { segments, rest }: PathPattern): Entry[] => {
  let draft = root;
  for (const segment of segments) {
    if (segment.kind === "parameter") {
      draft.parameter ??= draftOf(draft.from.parameter ?? EMPTY_TREE);
      draft = draft.parameter;
    } else {
      const next =
        draft.literals.get(segment.text) ?? draftOf(draft.from.literals.get(segment.text) ?? EMPTY_TREE);
      draft.literals.set(segment.text, next);
      draft = next;
    }
  }
  const place = rest ? "rest" : "ending";
  draft[place] ??= [...(draft.from[place]?.entries ?? [])];
  return draft[place];
};

const finished = (draft: Draft): RouteNode => {
  const { from } = draft;
  const literals = draft.literals.size > 0 ? new Map(from.literals) : from.literals;
  for (const [text, child] of draft.literals)
    setOrDelete(literals as Map<string, RouteNode>, text, finished(child));
  const parameter = draft.parameter ? unlessEmpty(finished(draft.parameter)) : from.parameter;
  const ending = draft.ending ? leafOf(draft.ending) : from.ending;
  const rest = draft.rest ? leafOf(draft.rest) : from.rest;
  const here = [parameter, ending?.candidates, rest?.candidates].filter((each) => each !== undefined);
  const first = Math.min(leastFirst(here), leastFirst(literals.values()));
  return { first, literals, parameter, ending, rest };
};

const unlessEmpty = (node: RouteNode): RouteNode | undefined =>
  node.first === Number.POSITIVE_INFINITY ? undefined : node;

const setOrDelete = (literals: Map<string, RouteNode>, text: string, node: RouteNode): void => {
  if (unlessEmpty(node)) literals.set(text, node);
  else literals.delete(text);
};

const leafOf = (entries: readonly Entry[]): Leaf | undefined =>
  entries.length === 0
    ? undefined
    : { entries, candidates: candidatesOf(entries.map((entry) => ({ entry, left: entry.conditions }))) };
