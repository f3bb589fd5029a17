/**
 * An immutable map whose `set` costs the logarithm of its size, so that `evolve` can return a new state without
 * copying every entry: a hash trie with 32 branches a level.
 */
import { fnv1a } from "./fnv1a.ts";

export interface PersistentMap<Value> {
  readonly size: number;
  get(key: string): Value | undefined;
  /** A new map with the entry; this one stays as it is. */
  set(key: string, value: Value): PersistentMap<Value>;
  /** A new map without the entry; this very map when there is none. */
  delete(key: string): PersistentMap<Value>;
  /** In no particular order. */
  entries(): IterableIterator<readonly [string, Value]>;
}

type Entry<Value> = readonly [key: string, value: Value];

/** A leaf holds the entries of one hash: nearly always one, more when two keys collide. */
type Leaf<Value> = { readonly hash: number; readonly entries: readonly Entry<Value>[] };
type Branch<Value> = { readonly children: readonly (Node<Value> | undefined)[] };
type Node<Value> = Leaf<Value> | Branch<Value>;

const BITS = 5;
const slot = (hash: number, depth: number) => (hash >>> (depth * BITS)) & 31;
const isLeaf = <Value>(node: Node<Value>): node is Leaf<Value> => "entries" in node;

const find = <Value>(root: Node<Value> | undefined, hash: number, key: string): Entry<Value> | undefined => {
  let node = root;
  for (let depth = 0; node !== undefined; depth++) {
    if (isLeaf(node)) return node.hash === hash ? node.entries.find(([known]) => known === key) : undefined;
    node = node.children[slot(hash, depth)];
  }
  return undefined;
};

const replaced = <Value>(
  branch: Branch<Value>,
  at: number,
  child: Node<Value> | undefined,
): Branch<Value> => {
  const children = branch.children.slice();
  children[at] = child;
  return { children };
};

/** Two leaves of different hashes under as many branches as they have slots in common. */
const split = <Value>(older: Leaf<Value>, newer: Leaf<Value>, depth: number): Branch<Value> => {
  const children: (Node<Value> | undefined)[] = new Array(32).fill(undefined);
  const [first, second] = [slot(older.hash, depth), slot(newer.hash, depth)];
  if (first === second) {
    children[first] = split(older, newer, depth + 1);
  } else {
    children[first] = older;
    children[second] = newer;
  }
  return { children };
};

const inserted = <Value>(node: Node<Value> | undefined, leaf: Leaf<Value>, depth: number): Node<Value> => {
  if (node === undefined) return leaf;
  if (!isLeaf(node)) {
    const at = slot(leaf.hash, depth);
    return replaced(node, at, inserted(node.children[at], leaf, depth + 1));
  }
  if (node.hash !== leaf.hash) return split(node, leaf, depth);
  const [entry] = leaf.entries;
  return {
    hash: node.hash,
    entries: [...node.entries.filter(([key]) => key !== entry?.[0]), ...leaf.entries],
  };
};

const removed = <Value>(
  node: Node<Value>,
  hash: number,
  key: string,
  depth: number,
): Node<Value> | undefined => {
  if (isLeaf(node)) {
    const entries = node.entries.filter(([known]) => known !== key);
    return entries.length === 0 ? undefined : { hash: node.hash, entries };
  }
  const at = slot(hash, depth);
  const child = node.children[at];
  if (child === undefined) return node;
  const without = replaced(node, at, removed(child, hash, key, depth + 1));
  return without.children.every((each) => each === undefined) ? undefined : without;
};

function* walk<Value>(node: Node<Value> | undefined): IterableIterator<Entry<Value>> {
  if (node === undefined) return;
  if (isLeaf(node)) yield* node.entries;
  else for (const child of node.children) yield* walk(child);
}

const over = <Value>(
  root: Node<Value> | undefined,
  size: number,
  hashOf: (key: string) => number,
): PersistentMap<Value> => ({
  size,
  get: (key) => find(root, hashOf(key), key)?.[1],
  set(key, value) {
    const hash = hashOf(key);
    const grown = find(root, hash, key) === undefined ? size + 1 : size;
    return over(inserted(root, { hash, entries: [[key, value]] }, 0), grown, hashOf);
  },
  delete(key) {
    const hash = hashOf(key);
    if (root === undefined || find(root, hash, key) === undefined) return this;
    return over(removed(root, hash, key, 0), size - 1, hashOf);
  },
  entries: () => walk(root),
});

/** An empty map; `hashOf` must give a 32-bit unsigned number and is only ever replaced by tests. */
export const persistentMap = <Value>(hashOf: (key: string) => number = fnv1a): PersistentMap<Value> =>
  over<Value>(undefined, 0, hashOf);
