/** What a service tells of its events to readers in any language: the JSON Schema of every version of every type. */
import * as z from "zod";
import type { EventTypes } from "./event-types.ts";

export interface EventSchema {
  /** As CloudEvents name it: "orders.OrderPlaced". */
  readonly type: string;
  /** `eventversion` of the events that follow it; one without has version 1. */
  readonly version: number;
  /** JSON Schema 2020-12 of the event's `data`. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/**
 * All versions of all types, oldest first, in the order of their declaration.
 * @throws Error for a schema whose data would not stand in the log as it is read: a default, a transformation, what is no JSON
 */
export const eventSchemas = (service: string, types: EventTypes): EventSchema[] =>
  Object.entries(types).flatMap(([type, { versions }]) =>
    versions.map(({ schema }, index) => {
      const name = `${service}.${type}`;
      return { type: name, version: index + 1, schema: jsonSchemaOf(schema, name, index + 1) };
    }),
  );

const jsonSchemaOf = (schema: z.ZodObject, type: string, version: number) => {
  const [written, read] = (["input", "output"] as const).map((io) => {
    try {
      return z.toJSONSchema(schema, { io });
    } catch (cause) {
      throw new Error(`Cannot publish version ${version} of "${type}": expected fields that are JSON`, {
        cause,
      });
    }
  });
  if (JSON.stringify(written) === JSON.stringify(read)) return { ...written };
  throw new Error(
    `Cannot publish version ${version} of "${type}": its data would be read otherwise than written; expected strict objects without defaults and transformations`,
  );
};

/**
 * What the published schemas do not allow: a version that takes other data than when it was published, or is gone.
 * Descriptions, titles and examples may change.
 */
export const brokenPromises = (
  published: readonly EventSchema[],
  declared: readonly EventSchema[],
): string[] =>
  published.flatMap(({ type, version, schema }) => {
    const now = declared.find((candidate) => candidate.type === type && candidate.version === version);
    if (!now) return [`version ${version} of "${type}" is gone`];
    return constraintsOf(now.schema) === constraintsOf(schema)
      ? []
      : [`version ${version} of "${type}" takes other data`];
  });

const SAYS_NOTHING_OF_DATA: ReadonlySet<string> = new Set(["description", "title", "examples", "example"]);

const constraintsOf = (schema: unknown): string => JSON.stringify(withoutNotes(schema));

const withoutNotes = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(withoutNotes);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => !SAYS_NOTHING_OF_DATA.has(keyword))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      // A field may be called "description": below `properties` the keys are names.
      .map(([keyword, value]) => [keyword, keyword === "properties" ? fieldsOf(value) : withoutNotes(value)]),
  );
};

const fieldsOf = (properties: object): object =>
  Object.fromEntries(
    Object.entries(properties)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, schema]) => [name, withoutNotes(schema)]),
  );
