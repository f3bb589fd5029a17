/** Follows references to what a document keeps for several places. */
import { pointerParts, valueAt } from "../../documents/json-pointer.ts";
import { isJsonObject, type JsonObject } from "../../documents/service-document.ts";

/** References that lead on to references: more of them are a circle. */
const HOPS_MAX = 8;

/** The object itself; undefined where there is none. */
export const resolved = (document: JsonObject, value: unknown): JsonObject | undefined => {
  let found = value;
  for (let hops = 0; hops <= HOPS_MAX; hops++) {
    if (!isJsonObject(found)) return undefined;
    if (typeof found.$ref !== "string") return found;
    found = valueAt(document, pointerParts(found.$ref) ?? ["-"]);
  }
  return undefined;
};

/** The JSON types that a schema may let a value have, as far as it says; empty where it says nothing. */
export const typesOf = (document: JsonObject, schema: unknown, depth = 0): ReadonlySet<string> => {
  const node = resolved(document, schema);
  if (!node || depth > HOPS_MAX) return new Set();
  const own = [node.type].flat().filter((type) => typeof type === "string");
  if (own.length > 0) return new Set(own);
  const values = [...(Array.isArray(node.enum) ? node.enum : []), ...("const" in node ? [node.const] : [])];
  const inner = [node.allOf, node.anyOf, node.oneOf].flatMap((list) => (Array.isArray(list) ? list : []));
  return new Set([
    ...values.map((value) => (value === null ? "null" : typeof value)),
    ...inner.slice(0, 50).flatMap((each) => [...typesOf(document, each, depth + 1)]),
  ]);
};
