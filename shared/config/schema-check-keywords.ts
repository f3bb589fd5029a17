/** The keywords of JSON Schema 2020-12 that a configuration's schema may use, and the form that each must have. */
import { LIMITS } from "../limits.ts";

/** Their value is a schema. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "items",
  "unevaluatedItems",
  "contains",
  "not",
  "if",
  "then",
  "else",
]);

/** Their value is an array of schemas. */
export const LIST_KEYWORDS: ReadonlySet<string> = new Set(["prefixItems", "allOf", "anyOf", "oneOf"]);

/** Their value is an object of schemas. */
export const MAP_KEYWORDS: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "properties",
  "patternProperties",
  "dependentSchemas",
]);

interface Form {
  readonly holds: (value: unknown) => boolean;
  readonly expected: string;
}

const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"];

/** A quantified end of a group that is itself repeated: such patterns may take exponential time. */
const EXPONENTIAL = /(?:[*+?]|\{\d+,\d*\})\??\)(?:[*+]|\{\d+,\})/;
const PATTERN_CHARACTERS = 1_024;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

const isType = (value: unknown): boolean => typeof value === "string" && TYPES.includes(value);

const isPattern = (value: unknown): boolean => {
  if (typeof value !== "string" || value.length > PATTERN_CHARACTERS || EXPONENTIAL.test(value)) return false;
  try {
    new RegExp(value, "u");
    return true;
  } catch {
    return false;
  }
};

const number: Form = { holds: (value) => Number.isFinite(value), expected: "a number" };
const count: Form = {
  holds: (value) => Number.isInteger(value) && Number(value) >= 0,
  expected: "an integer of at least 0",
};
const flag: Form = { holds: (value) => typeof value === "boolean", expected: "true or false" };

const UP_TO = `^(?![^]{${LIMITS.configMatchedCharacters + 1}})[^]*?(?:`;

/** The same pattern, but holding for no text of more than `LIMITS.configMatchedCharacters`, and that without trying. */
export const boundedPattern = (pattern: string): string => `${UP_TO}${pattern})`;

/** What {@link boundedPattern} was made of. */
export const patternOf = (bounded: string): string => bounded.slice(UP_TO.length, -1);

export const PATTERN: Form = {
  holds: isPattern,
  expected: `a regular expression of at most ${PATTERN_CHARACTERS} characters that repeats no group whose end is repeated`,
};

/** Keywords that hold no schema. What is in none of these tables is an annotation. */
export const FORMS: Readonly<Record<string, Form>> = {
  type: {
    holds: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
    expected: `${TYPES.map((type) => `"${type}"`).join(", ")} or a list of these`,
  },
  enum: { holds: Array.isArray, expected: "a list of values" },
  const: { holds: () => true, expected: "a value" },
  required: { holds: isTexts, expected: "a list of names" },
  dependentRequired: {
    holds: (value) => isObject(value) && Object.values(value).every(isTexts),
    expected: "lists of names by name",
  },
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: { holds: (value) => Number.isFinite(value) && Number(value) > 0, expected: "a number above 0" },
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  minContains: count,
  maxContains: count,
  minProperties: count,
  maxProperties: count,
  uniqueItems: flag,
  pattern: PATTERN,
  format: { holds: (value) => typeof value === "string", expected: "a format's name" },
  /** Our own: the value is sealed, and shown to nobody. */
  secret: flag,
};

const none = (expected: string): Form => ({ holds: () => false, expected });

/** Keywords that are checked and then play no part. */
export const UNUSED_FORMS: Readonly<Record<string, Form>> = {
  $schema: {
    holds: (value) =>
      typeof value === "string" && /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(value),
    expected: '"https://json-schema.org/draft/2020-12/schema"',
  },
  $anchor: none('no anchors: "#/$defs/…" is what "$ref" may name'),
  $dynamicRef: none("no dynamic references"),
  $dynamicAnchor: none("no dynamic references"),
  $recursiveRef: none("no dynamic references"),
  $recursiveAnchor: none("no dynamic references"),
};
