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

/** Also a whole object, as long as only one layer has a say in it. */
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
 * The result shares with the layers what only one of them has. Origins are found when they are first asked for.
 */
export const mergeDocuments = (layers: readonly Layer[]): Merged => {
  const root: Branch = { children: new Map(), origin: { document: "", revision: 0 } };
  for (const { document, revision, content, fields } of layers) {
    const taken = fields
      ? Object.fromEntries(Object.entries(content).filter(([field]) => fields.has(field)))
      : content;
    lay(root, taken, { document, revision });
  }
  let origins: Origins | undefined;
  return {
    value: built(root),
    get origins() {
      origins ??= originsOf(root);
      return origins;
    },
  };
};

const lay = (onto: Branch, content: JsonObject, origin: Origin): void => {
  onto.origin = origin;
  for (const [key, value] of Object.entries(content)) {
    const former = onto.children.get(key);
    const branch = former && isBranch(value) ? branchOf(former) : undefined;
    if (branch) lay(branch, value as JsonObject, origin);
    else onto.children.set(key, { value, origin });
    if (branch) onto.children.set(key, branch);
  }
};

/** Undefined for what merges with nothing. */
const branchOf = (child: Branch | Leaf): Branch | undefined => {
  if ("children" in child) return child;
  if (!isBranch(child.value)) return undefined;
  const branch: Branch = { children: new Map(), origin: child.origin };
  lay(branch, child.value, child.origin);
  return branch;
};

const built = (branch: Branch): JsonObject =>
  Object.fromEntries(
    Array.from(branch.children, ([key, child]) => [key, "children" in child ? built(child) : child.value]),
  );

const originsOf = (root: Branch): Origins => {
  const origins: [string, Origin][] = [];
  const ofValue = (value: JsonValue, keys: readonly string[], origin: Origin): void => {
    const inner = isBranch(value) ? Object.entries(value) : [];
    if (inner.length === 0) origins.push([dottedPath(keys), origin]);
    for (const [key, each] of inner) ofValue(each, [...keys, key], origin);
  };
  const ofBranch = ({ children, origin }: Branch, keys: readonly string[]): void => {
    if (children.size === 0 && keys.length > 0) origins.push([dottedPath(keys), origin]);
    for (const [key, child] of children) {
      const place = [...keys, key];
      if ("children" in child) ofBranch(child, place);
      else ofValue(child.value, place, child.origin);
    }
  };
  ofBranch(root, []);
  return Object.fromEntries(origins);
};
