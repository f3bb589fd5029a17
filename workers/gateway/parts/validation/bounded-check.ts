/** Checks values against a schema of a document: compiled once, in bounded time, and saying so where that is not enough. */
import { type Schema, validate } from "@cfworker/json-schema";
import { compileSchema, type VisitCost } from "#shared/config/schema-check-compile.ts";
import { tellingFaults } from "#shared/config/schema-check-faults.ts";
import type { FieldFault } from "#shared/http/problem.ts";
import { LIMITS } from "#shared/limits.ts";
import type { JsonObject } from "../../documents/service-document.ts";
import { ownSchema } from "./own-schema.ts";

/** Why a value was not held to its schema. */
export type Unchecked = "too_large" | "takes_too_long" | "schema_not_valid";

/** Never throws. */
export type Check = (value: unknown) => readonly FieldFault[] | Unchecked;

export interface CheckedSchema {
  readonly document: JsonObject;
  readonly schema: unknown;
  readonly of: "request" | "answer";
}

export const boundedCheck = ({ document, schema, of }: CheckedSchema): Check => {
  const strict = lazily(() => compiledCheck(ownSchema(document, schema, { of, patterns: true })));
  const lenient = lazily(() => compiledCheck(ownSchema(document, schema, { of, patterns: false })));
  return (value) => {
    const extent = extentOf(value);
    if (!extent) return "too_large";
    const check = extent.longestText > LIMITS.configMatchedCharacters ? lenient() : strict();
    return check(value, extent.widest);
  };
};

const lazily = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

class OutOfSteps extends Error {}

const NEVER_SECRET = () => false;

const compiledCheck = (schema: unknown): ((value: unknown, widest: number) => ReturnType<Check>) => {
  // A check runs to its end before the next one begins, so that one count does for all.
  let steps = 0;
  let widest = 0;
  const spend = ({ breadth, unique, patterns }: VisitCost): void => {
    steps += 10 + breadth + patterns * widest + (unique ? widest ** 2 / 16 : 0);
    if (steps > LIMITS.validationSteps) throw new OutOfSteps();
  };
  const compiled = compileSchema(schema, spend);
  if (compiled.faults.length > 0) return () => "schema_not_valid";
  const run = (value: unknown, shortCircuit: boolean) =>
    validate(
      value,
      compiled.root as Schema,
      "2020-12",
      compiled.lookup as Record<string, Schema>,
      shortCircuit,
    );
  return (value, widestOfValue) => {
    steps = 0;
    widest = widestOfValue;
    try {
      // Nearly all values are valid: only those that are not are looked at for all that is wrong with them.
      if (run(value, true).valid) return NO_FAULTS;
    } catch (error) {
      if (error instanceof OutOfSteps || error instanceof RangeError) return "takes_too_long";
      // What the validator cannot follow is no fault of the value.
      return "schema_not_valid";
    }
    try {
      const units = run(value, false).errors;
      const faults = tellingFaults(units, { schema: compiled, value, isSecret: NEVER_SECRET });
      return faults.length > 0 ? faults : SOME_FAULT;
    } catch {
      return SOME_FAULT;
    }
  };
};

const NO_FAULTS: readonly FieldFault[] = [];
const SOME_FAULT: readonly FieldFault[] = [{ path: "", message: "expected another form" }];

interface Extent {
  readonly widest: number;
  readonly longestText: number;
}

/** Undefined for what has too many levels or values. Without recursion. */
const extentOf = (value: unknown): Extent | undefined => {
  let widest = 0;
  let longestText = 0;
  let nodes = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    nodes += level.length;
    if (depth > LIMITS.validatedDepth || nodes > LIMITS.validatedNodes) return undefined;
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each === "string") longestText = Math.max(longestText, each.length);
      if (typeof each !== "object" || each === null) continue;
      const inner = Object.values(each);
      widest = Math.max(widest, inner.length);
      for (const item of inner) next.push(item);
    }
    level = next;
  }
  return { widest, longestText };
};
