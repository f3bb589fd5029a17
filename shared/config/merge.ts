/** Merges documents as layers, and says where each value came from. */
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { dottedPath } from "./path.ts";

export interface Layer {
  /** "orders/production". */
  readonly document: string;
  readonly revision: number;
  readonly content: JsonObject;
  /** The only top-level fields that are taken; all of them when absent. */
  readonly fields?: ReadonlySet<string>;
}

export interface Origin {
  readonly document: string;
  readonly revision: number;
}

/** By {@link dottedPath} of each leaf: whatever is no object, a secret, and an object without fields. */
export type Origins = Readonly<Record<string, Origin>>;

export interface Merged {
  readonly value: JsonObject;
  readonly origins: Origins;
}

/** Whether a value merges with another; everything else replaces, and a secret is one value. */
export const isBranch = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Object.hasOwn(value, "$secret");

interface Leaf {
  readonly value: JsonValue;
  readonly origin: Origin;
}

/** A map instead of an object: no key of a document can reach a prototype. An empty one knows who wrote the empty object. */
interface Branch {
  readonly children: Map<string, Branch | Leaf>;
  origin: Origin;
}

/**
 * The later layer is stronger: objects merge field by field, everything else is replaced, arrays too; null is a value.
 * The result shares its leaves with the layers.
 */
export const mergeDocuments = (layers: readonly Layer[]): Merged => {
  const root: Branch = { children: new Map(), origin: { document: "", revision: 0 } };
  for (const { document, revision, content, fields } of layers) {
    const taken = fields
      ? Object.fromEntries(Object.entries(content).filter(([field]) => fields.has(field)))
      : content;
    lay(root, taken, { document, revision });
  }
  const origins: [string, Origin][] = [];
  const value = built(root, [], origins);
  return { value, origins: Object.fromEntries(origins) };
};

const lay = (onto: Branch, content: JsonObject, origin: Origin): void => {
  onto.origin = origin;
  for (const [key, value] of Object.entries(content)) {
    if (!isBranch(value)) {
      onto.children.set(key, { value, origin });
      continue;
    }
    const former = onto.children.get(key);
    const branch = former && "children" in former ? former : { children: new Map(), origin };
    onto.children.set(key, branch);
    lay(branch, value, origin);
  }
};

const built = (branch: Branch, keys: readonly string[], origins: [string, Origin][]): JsonObject => {
  const entries: [string, JsonValue][] = [];
  for (const [key, child] of branch.children) {
    const place = [...keys, key];
    const isLeaf = !("children" in child);
    if (isLeaf || child.children.size === 0) origins.push([dottedPath(place), child.origin]);
    entries.push([key, isLeaf ? child.value : built(child, place, origins)]);
  }
  return Object.fromEntries(entries);
};
