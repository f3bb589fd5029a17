/** Which fields of events are about a person: declared with the event's schema, shown in its JSON Schema as `x-personal`. */
import * as z from "zod";
import type { EventTypes } from "../events/event-types.ts";

/** The keyword by which a published schema says it. */
const PERSONAL = "x-personal";

/**
 * A field that is forgotten with its data subject: it stands in the log sealed under the subject's key, and is null for
 * whoever reads it when that key is gone.
 * @param options.subject the field of the event's data, at its top, whose text names the data subject
 */
export const personal = <Schema extends z.ZodType>(
  schema: Schema,
  { subject }: { readonly subject: string },
): z.ZodNullable<Schema> => z.nullable(schema).meta({ [PERSONAL]: { subject } });

/** Where a personal value stands in an event's data. */
export interface PersonalField {
  /** From the top of the data; `*` is each item of a list or each entry of a record. */
  readonly path: readonly string[];
  /** The field at the top that names whose it is. */
  readonly subject: string;
}

/** By type, then by version - 1; types without personal fields are absent. */
export type PersonalFields = ReadonlyMap<string, readonly (readonly PersonalField[])[]>;

/** @throws Error for a personal field whose subject cannot be told in every event */
export const personalFieldsOf = (types: EventTypes): PersonalFields => {
  const found = new Map<string, readonly (readonly PersonalField[])[]>();
  for (const [type, { versions }] of Object.entries(types)) {
    const fields = versions.map(({ schema }, index) => fieldsOfVersion(schema, `${type} ${index + 1}`));
    if (fields.some(({ length }) => length > 0)) found.set(type, fields);
  }
  return found;
};

/** As Zod writes it. */
interface JsonSchema {
  readonly [PERSONAL]?: { readonly subject: string };
  readonly type?: unknown;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

const fieldsOfVersion = (schema: z.ZodObject, name: string): readonly PersonalField[] => {
  const { [PERSONAL]: _, ...json } = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  const fields = fieldsBelow(json, [], name);
  for (const { path, subject } of fields) {
    const names = json.properties?.[subject];
    if (names?.type === "string" && !names[PERSONAL] && json.required?.includes(subject)) continue;
    throw new Error(
      `Cannot declare "${path.join(".")}" of "${name}" as personal by "${subject}": expected a required text at the top of the same event, not personal itself`,
    );
  }
  return fields;
};

const fieldsBelow = (schema: JsonSchema, path: readonly string[], name: string): PersonalField[] => {
  // What is personal is sealed whole.
  if (schema[PERSONAL]) return [{ path, subject: schema[PERSONAL].subject }];
  if (schema.$ref !== undefined)
    throw new Error(`Cannot tell what of "${name}" is personal: expected no schema with an id at "${path}"`);
  const { properties = {}, items, prefixItems = [], additionalProperties } = schema;
  const each = [items, ...prefixItems, additionalProperties].filter((one) => typeof one === "object");
  const same = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [
    ...Object.entries(properties).flatMap(([field, below]) => fieldsBelow(below, [...path, field], name)),
    ...each.flatMap((below) => fieldsBelow(below, [...path, "*"], name)),
    ...same.flatMap((below) => fieldsBelow(below, path, name)),
  ];
};
