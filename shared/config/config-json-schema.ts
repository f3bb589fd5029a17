/** The JSON Schema that a service declares of its configuration, with what repeats itself written once. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { isObject } from "./schema-check-keywords.ts";

type Definitions = Readonly<Record<string, JsonObject>>;

const PREFIX = "#/$defs/";

/**
 * The form in which a service declares its Zod schema; `.meta({ secret: true })` marks a secret field. A part that is used in
 * several places stands under `$defs`, so that the whole is as long as what it says.
 */
export const configJsonSchema = (schema: z.ZodType): JsonObject => {
  const written = z.toJSONSchema(schema, { io: "input", reused: "ref" }) as unknown as JsonObject;
  const { $defs = {}, ...root } = written;
  const definitions = $defs as Definitions;
  const uses = usesOf(written);
  const isShared = (name: string): boolean => (uses.get(name) ?? 0) > 1 && !isShort(definitions[name]);
  const inlined = inlining(definitions, isShared);
  const shared = Object.keys(definitions).filter(isShared);
  const entries = shared.map((name) => [name, inlined(definitions[name] as JsonObject)]);
  return {
    ...(inlined(root) as JsonObject),
    ...(shared.length > 0 && { $defs: Object.fromEntries(entries) }),
  };
};

/** Nothing is won by writing it elsewhere, and it refers to nothing. */
const isShort = (definition: JsonObject | undefined): boolean => {
  const text = JSON.stringify(definition);
  return text.length < 60 && !text.includes(PREFIX);
};

const nameOf = (reference: JsonValue | undefined): string | undefined =>
  typeof reference === "string" && reference.startsWith(PREFIX) ? reference.slice(PREFIX.length) : undefined;

/** How often each definition is referred to; a field's value that looks like a reference counts, and harms nothing. */
const usesOf = (schema: JsonValue): ReadonlyMap<string, number> => {
  const uses = new Map<string, number>();
  const walk = (value: JsonValue): void => {
    if (typeof value !== "object" || value === null) return;
    const name = isObject(value) ? nameOf((value as JsonObject).$ref) : undefined;
    if (name !== undefined) uses.set(name, (uses.get(name) ?? 0) + 1);
    for (const inner of Object.values(value)) walk(inner as JsonValue);
  };
  walk(schema);
  return uses;
};

/** Puts each definition that is not shared in the place of its reference; what stands beside that is stronger. */
const inlining = (definitions: Definitions, isShared: (name: string) => boolean) => {
  const inlined = (value: JsonValue): JsonValue => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(inlined);
    const { $ref, ...beside } = value as JsonObject;
    const name = nameOf($ref);
    const definition = name === undefined || isShared(name) ? undefined : definitions[name];
    if (definition) return inlined({ ...definition, ...beside });
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inlined(inner)]));
  };
  return inlined;
};
