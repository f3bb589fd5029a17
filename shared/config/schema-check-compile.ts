/** Makes of a JSON Schema a copy that the validator can walk safely, and says what keeps it from being one. */
import { format, type Schema } from "@cfworker/json-schema";
import type { FieldFault } from "../http/problem.ts";
import { dottedPath } from "./path.ts";
import { extentOf } from "./schema-check-bounds.ts";
import {
  boundedPattern,
  FORMS,
  isObject,
  LIST_KEYWORDS,
  MAP_KEYWORDS,
  PATTERN,
  SCHEMA_KEYWORDS,
  UNUSED_FORMS,
} from "./schema-check-keywords.ts";

export type CompiledNode = Schema | boolean;

/** What looking at one value by one schema takes, its subschemas apart. */
export interface VisitCost {
  /** Keywords and what they list. */
  readonly breadth: number;
  /** Each item is compared with each. */
  readonly unique: boolean;
  /** Patterns that each field's name is matched with. */
  readonly patterns: number;
}

export interface CompiledSchema {
  readonly faults: readonly FieldFault[];
  readonly root: CompiledNode;
  /** By JSON pointer ("#/properties/port"), which is also the form of each `$ref`. */
  readonly lookup: Readonly<Record<string, CompiledNode>>;
}

const pointerOf = (path: readonly string[]): string =>
  `#${path.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;

/** "#/$defs/a%20b" in the form of {@link pointerOf}; undefined for what is not local. */
const localPointer = (reference: unknown): string | undefined => {
  if (typeof reference !== "string" || !/^#(?:\/|$)/.test(reference)) return undefined;
  try {
    return decodeURIComponent(reference);
  } catch {
    return undefined;
  }
};

const costOf = (node: Schema): VisitCost => {
  const sizes = Object.values(node).map((value) =>
    typeof value === "object" && value !== null ? Object.keys(value).length : 0,
  );
  return {
    breadth: sizes.reduce((sum, size) => sum + size, sizes.length),
    unique: node.uniqueItems === true,
    patterns: Object.keys(node.patternProperties ?? {}).length,
  };
};

/** What a schema applies to the very same value, whether it holds or not. */
export const inPlace = (node: Schema, lookup: CompiledSchema["lookup"]): CompiledNode[] => [
  ...(node.$ref === undefined ? [] : [lookup[node.$ref] ?? true]),
  ...[node.allOf, node.anyOf, node.oneOf].flatMap((each) => each ?? []),
  ...[node.not, node.if, node.then, node.else].filter((each) => each !== undefined),
  ...Object.values(node.dependentSchemas ?? {}),
];

/** The pointer of a schema that comes back to itself without going deeper into the value. */
const endless = (lookup: CompiledSchema["lookup"]): string | undefined => {
  const states = new Map<CompiledNode, "under way" | "done">();
  const comesBack = (node: CompiledNode): boolean => {
    if (typeof node === "boolean" || states.get(node) === "done") return false;
    if (states.get(node) === "under way") return true;
    states.set(node, "under way");
    const found = inPlace(node, lookup).some(comesBack);
    states.set(node, "done");
    return found;
  };
  return Object.keys(lookup).find((pointer) => comesBack(lookup[pointer] ?? true));
};

/** Never throws, whatever `schema` is. `onVisit` is told of each look of the validator; what it throws stops the validation. */
export const compileSchema = (schema: unknown, onVisit: (cost: VisitCost) => void): CompiledSchema => {
  const extent = extentOf(schema);
  if (extent.fault) return { faults: [extent.fault], root: true, lookup: {} };

  const faults: FieldFault[] = [];
  const references: { readonly path: readonly string[]; readonly pointer: string }[] = [];
  const lookup: Record<string, CompiledNode> = Object.create(null);

  const refuse = (path: readonly string[], expected: string): undefined => {
    faults.push({ path: dottedPath(path), message: `expected ${expected}` });
  };

  const compileMap = (value: unknown, path: readonly string[]): unknown => {
    if (!isObject(value)) return refuse(path, "schemas by name");
    const entries = Object.entries(value);
    if (path.at(-1) === "patternProperties") {
      for (const [key] of entries) if (!PATTERN.holds(key)) refuse([...path, key], PATTERN.expected);
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, compile(inner, [...path, key])]));
  };

  const compileList = (value: unknown, path: readonly string[]): unknown => {
    if (!Array.isArray(value) || value.length === 0) return refuse(path, "a list of schemas");
    return value.map((inner, index) => compile(inner, [...path, `${index}`]));
  };

  const compileReference = (value: unknown, path: readonly string[]): string | undefined => {
    const pointer = localPointer(value);
    if (pointer === undefined) refuse(path, 'a place in this schema, as in "#/$defs/name"');
    else references.push({ path, pointer });
    return pointer;
  };

  const compileKeyword = (keyword: string, value: unknown, path: readonly string[]): unknown => {
    if (SCHEMA_KEYWORDS.has(keyword)) return compile(value, path);
    if (LIST_KEYWORDS.has(keyword)) return compileList(value, path);
    if (MAP_KEYWORDS.has(keyword)) return compileMap(value, path);
    if (keyword === "$ref") return compileReference(value, path);
    if (keyword === "$id" && path.length > 1) return refuse(path, "no identifiers inside of a schema");
    const own = Object.hasOwn(FORMS, keyword) ? FORMS[keyword] : undefined;
    const form = own ?? (Object.hasOwn(UNUSED_FORMS, keyword) ? UNUSED_FORMS[keyword] : undefined);
    if (form && !form.holds(value)) return refuse(path, form.expected);
    // A format that the validator does not know is an annotation; it would look for it among an object's own methods, too.
    if (keyword === "format" && !Object.hasOwn(format, String(value))) return undefined;
    return keyword === "pattern" ? boundedPattern(String(value)) : own && value;
  };

  const compile = (value: unknown, path: readonly string[]): CompiledNode => {
    if (typeof value === "boolean") {
      lookup[pointerOf(path)] = value;
      return value;
    }
    if (!isObject(value)) {
      refuse(path, "a schema: an object, true or false");
      return true;
    }
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      compileKeyword(key, inner, [...path, key]),
    ]);
    const node: Schema = Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
    const cost = costOf(node);
    // The validator reads this keyword of an earlier draft at each look, and knows no other way to be stopped.
    Object.defineProperty(node, "$recursiveAnchor", { enumerable: false, get: () => onVisit(cost) });
    lookup[pointerOf(path)] = node;
    return node;
  };

  const root = compile(schema, []);
  for (const { path, pointer } of references) {
    if (lookup[pointer] === undefined) refuse(path, `a place in this schema, and "${pointer}" is not there`);
  }
  const loop = faults.length === 0 ? endless(lookup) : undefined;
  if (loop)
    faults.push({
      path: loop.slice(2).replaceAll("/", "."),
      message: "expected a schema that does not refer to itself for the same value",
    });
  return { faults, root, lookup };
};
