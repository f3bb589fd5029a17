/** Checks configurations against the JSON Schemas that services declare, in bounded time, and names each fault by its path. */
import { type OutputUnit, type Schema, validate } from "@cfworker/json-schema";
import type { FieldFault } from "../http/problem.ts";
import { LIMITS } from "../limits.ts";
import { extentOf } from "./schema-check-bounds.ts";
import { type CompiledSchema, compileSchema, type VisitCost } from "./schema-check-compile.ts";
import { tellingFaults } from "./schema-check-faults.ts";
import { isObject } from "./schema-check-keywords.ts";
import { boundedFault } from "./schema-check-messages.ts";
import { secretFieldsOf } from "./schema-check-secrets.ts";

class OutOfSteps extends Error {}

const whole = (message: string): FieldFault[] => [{ path: "", message }];

const firstFaults = (faults: readonly FieldFault[]): FieldFault[] =>
  faults.slice(0, LIMITS.schemaFaults).map(({ path, message }) => boundedFault(path, message));

/** What keeps `schema` from being a service's: an object schema of JSON Schema 2020-12, bounded, referring to nothing outside. */
export const schemaFaults = (schema: unknown): FieldFault[] => {
  const { faults } = compileSchema(schema, () => {});
  if (faults.length > 0) return firstFaults(faults);
  if (!isObject(schema) || schema.type !== "object") {
    return [{ path: "type", message: 'expected "object": a configuration is one' }];
  }
  return [];
};

const validateAll = (compiled: CompiledSchema, value: unknown): OutputUnit[] => {
  const run = (shortCircuit: boolean): OutputUnit[] =>
    validate(
      value,
      compiled.root as Schema,
      "2020-12",
      compiled.lookup as Record<string, Schema>,
      shortCircuit,
    ).errors;
  try {
    return run(false);
  } catch (error) {
    // More errors than fit on the stack: the first ones are enough.
    if (error instanceof RangeError) return run(true);
    throw error;
  }
};

/**
 * Where `value` does not fit `schema`, at most `LIMITS.schemaFaults`; a field that is missing or unknown by its own path.
 * Messages never show what stands in `value`. Never throws for JSON; a schema that is not valid is itself the fault.
 */
export const checkAgainstSchema = (schema: unknown, value: unknown): FieldFault[] => {
  const extent = extentOf(value);
  if (extent.fault) return firstFaults([extent.fault]);
  let steps = 0;
  const spend = ({ breadth, unique, patterns }: VisitCost): void => {
    steps += 10 + breadth + patterns * extent.widest + (unique ? extent.widest ** 2 / 16 : 0);
    if (steps > LIMITS.configCheckSteps) throw new OutOfSteps();
  };
  const compiled = compileSchema(schema, spend);
  const [fault] = compiled.faults;
  if (fault)
    return whole(boundedFault("", `expected a valid schema: at "${fault.path}" ${fault.message}`).message);
  try {
    const units = validateAll(compiled, value);
    return tellingFaults(units, { schema: compiled, value, isSecret: secretFieldsOf(compiled) });
  } catch (error) {
    if (!(error instanceof OutOfSteps || error instanceof RangeError)) throw error;
    return whole(
      "expected a configuration and a schema that can be checked in bounded time: these take too long together",
    );
  }
};
