/** What each keyword expects, in words. None of it shows the value that was checked. */
import type { FieldFault } from "../http/problem.ts";
import { LIMITS } from "../limits.ts";
import { dottedPath } from "./path.ts";
import { patternOf } from "./schema-check-keywords.ts";

/** A keyword that did not hold at a place of the value. */
export interface Miss {
  readonly keyword: string;
  /** What the schema says after the keyword. */
  readonly rule: unknown;
  readonly path: readonly string[];
  readonly found: unknown;
  /** Neither the rule may be shown: it may list the secret. */
  readonly secret: boolean;
}

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
};

const listed = (values: unknown): string =>
  (Array.isArray(values) ? values : [values]).map((value) => JSON.stringify(value)).join(", ");

const isSmallest = (rule: unknown, unit: string): string =>
  `at least ${rule} ${unit}${rule === 1 ? "" : "s"}`;
const isLargest = (rule: unknown, unit: string): string => `at most ${rule} ${unit}${rule === 1 ? "" : "s"}`;

const EXPECTED: Readonly<Record<string, (miss: Miss) => string>> = {
  type: ({ rule, found }) => `${(Array.isArray(rule) ? rule : [rule]).join(" or ")}, not ${typeOf(found)}`,
  enum: ({ rule, secret }) => (secret ? "another value" : `one of ${listed(rule)}`),
  const: ({ rule, secret }) => (secret ? "another value" : JSON.stringify(rule)),
  required: () => "a value: the field is required",
  false: () => "no such field",
  minimum: ({ rule }) => `at least ${rule}`,
  maximum: ({ rule }) => `at most ${rule}`,
  exclusiveMinimum: ({ rule }) => `more than ${rule}`,
  exclusiveMaximum: ({ rule }) => `less than ${rule}`,
  multipleOf: ({ rule }) => `a multiple of ${rule}`,
  minLength: ({ rule }) => isSmallest(rule, "character"),
  maxLength: ({ rule }) => isLargest(rule, "character"),
  minItems: ({ rule }) => isSmallest(rule, "item"),
  maxItems: ({ rule }) => isLargest(rule, "item"),
  minProperties: ({ rule }) => isSmallest(rule, "field"),
  maxProperties: ({ rule }) => isLargest(rule, "field"),
  uniqueItems: () => "items that are all different",
  pattern: ({ rule, found }) =>
    String(found).length > LIMITS.configMatchedCharacters
      ? isLargest(LIMITS.configMatchedCharacters, "character")
      : `a text that matches "${patternOf(String(rule))}"`,
  format: ({ rule }) => `a text of the format "${rule}"`,
  propertyNames: () => "another name",
  contains: () => "an item of the form that the schema names",
  minContains: ({ rule }) => `${isSmallest(rule, "item")} of the form that the schema names`,
  maxContains: ({ rule }) => `${isLargest(rule, "item")} of the form that the schema names`,
  not: () => "something else: the schema rules this form out",
  several: () => "one form of those that the schema names, not several at once",
};

/** Bounded in all its parts. */
export const faultOf = (miss: Miss): FieldFault => {
  const expected = EXPECTED[miss.keyword]?.(miss) ?? "another form";
  return boundedFault(dottedPath(miss.path), `expected ${expected}`);
};

/** A path of more than the bound loses its end, as does a message. */
export const boundedFault = (path: string, message: string): FieldFault => {
  const bounded = (text: string) =>
    text.length > LIMITS.configFaultCharacters ? `${text.slice(0, LIMITS.configFaultCharacters - 1)}…` : text;
  return { path: bounded(path), message: bounded(message) };
};
