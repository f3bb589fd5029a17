/** A schema of an OpenAPI document as one that stands by itself, in the words that the validator is safe with. */
import {
  FORMS,
  isObject,
  LIST_KEYWORDS,
  MAP_KEYWORDS,
  PATTERN,
  SCHEMA_KEYWORDS,
} from "#shared/config/schema-check-keywords.ts";
import { pointerOf, pointerParts, valueAt } from "../../documents/json-pointer.ts";
import { entriesOf, type JsonObject } from "../../documents/service-document.ts";

export interface OwnSchemaOptions {
  /** Of a request nobody expects what is `readOnly`, of an answer what is `writeOnly`. */
  readonly of: "request" | "answer";
  /** Without them texts may be of any length: patterns are tried on short ones only. */
  readonly patterns: boolean;
}

/**
 * The components that it refers to come along. What the validator does not know, or might take for ever, is left out, so that a
 * schema can only become less strict.
 */
export const ownSchema = (
  document: JsonObject,
  schema: unknown,
  { of, patterns }: OwnSchemaOptions,
): unknown => {
  const waiting: string[] = [];
  const definitions = new Map<string, unknown>();
  const leftOut = of === "request" ? "readOnly" : "writeOnly";

  const reference = (written: unknown): string | undefined => {
    const parts = typeof written === "string" ? pointerParts(written) : undefined;
    const [root, section, name, ...rest] = parts ?? [];
    if (!parts || root !== "components" || section !== "schemas" || name === undefined) return undefined;
    if (valueAt(document, parts) === undefined) return undefined;
    if (!definitions.has(name)) {
      definitions.set(name, true);
      waiting.push(name);
    }
    return pointerOf(["$defs", name, ...rest]);
  };

  const required = (names: readonly unknown[], node: JsonObject): unknown[] =>
    names.filter((name) => {
      const property = valueAt(node, ["properties", String(name)]);
      return !isObject(property) || property[leftOut] !== true;
    });

  const keyword = (key: string, value: unknown, node: JsonObject): unknown => {
    if (key === "$ref") return reference(value);
    if (SCHEMA_KEYWORDS.has(key)) return walk(value);
    if (LIST_KEYWORDS.has(key)) return Array.isArray(value) && value.length > 0 ? value.map(walk) : undefined;
    if (MAP_KEYWORDS.has(key))
      return Object.fromEntries(entriesOf(value).map(([name, inner]) => [name, walk(inner)]));
    if (key === "pattern" && !patterns) return undefined;
    const form = Object.hasOwn(FORMS, key) ? FORMS[key] : undefined;
    if (!form?.holds(value)) return undefined;
    return key === "required" ? required(value as unknown[], node) : value;
  };

  const walk = (value: unknown): unknown => {
    if (typeof value === "boolean") return value;
    if (!isObject(value)) return true;
    const node = withoutStrangePatterns(value);
    return Object.fromEntries(
      Object.entries(node)
        .map(([key, inner]): [string, unknown] => [key, keyword(key, inner, node)])
        .filter(([, inner]) => inner !== undefined),
    );
  };

  const root = walk(schema);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    definitions.set(name, walk(valueAt(document, ["components", "schemas", name])));
  }
  return isObject(root) ? { ...root, $defs: Object.fromEntries(definitions) } : root;
};

/** Without a pattern for names nobody knows which fields are the others. */
const withoutStrangePatterns = (node: JsonObject): JsonObject => {
  const patterns = entriesOf(node.patternProperties).map(([pattern]) => pattern);
  if (patterns.every((pattern) => PATTERN.holds(pattern))) return node;
  const { patternProperties: _, additionalProperties: __, unevaluatedProperties: ___, ...rest } = node;
  return rest;
};
