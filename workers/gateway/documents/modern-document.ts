/** An OpenAPI 3.0 document in the words of 3.1, whose schemas are those of JSON Schema 2020-12. */
import { isJsonObject, type JsonObject } from "./service-document.ts";

/** Their value is a client's data, not a part of the document's own grammar. */
export const DATA_KEYWORDS: ReadonlySet<string> = new Set(["example", "default", "const", "enum"]);

export const modernDocument = (document: JsonObject): JsonObject =>
  String(document.openapi).startsWith("3.0")
    ? { ...(modern(document) as JsonObject), openapi: "3.1.0" }
    : document;

const modern = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(modern);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    DATA_KEYWORDS.has(key) ? inner : modern(inner),
  ]);
  return modernSchema(Object.fromEntries(entries));
};

/** Where these words do not stand for a boolean they are names, of fields for example, and stay. */
const modernSchema = (node: JsonObject): JsonObject => {
  const { nullable, exclusiveMinimum, exclusiveMaximum } = node;
  if ([nullable, exclusiveMinimum, exclusiveMaximum].every((word) => typeof word !== "boolean")) return node;
  const changed: Record<string, unknown> = { ...node };
  if (typeof nullable === "boolean") delete changed.nullable;
  if (nullable === true && typeof node.type === "string") changed.type = [node.type, "null"];
  if (nullable === true && Array.isArray(node.enum)) changed.enum = [...new Set([...node.enum, null])];
  for (const [exclusive, bound] of EXCLUSIVE) {
    if (typeof node[exclusive] !== "boolean") continue;
    delete changed[exclusive];
    if (node[exclusive] !== true || typeof node[bound] !== "number") continue;
    changed[exclusive] = node[bound];
    delete changed[bound];
  }
  return changed;
};

const EXCLUSIVE = [
  ["exclusiveMinimum", "minimum"],
  ["exclusiveMaximum", "maximum"],
] as const;
