import { expect, test } from "vitest";
import * as z from "zod";
import { messageFault } from "./message-fault.ts";

const faultOf = (schema: z.ZodType, data: unknown): string => {
  const { error } = schema.safeParse(data);
  if (!error) throw new Error("It was taken");
  return messageFault('Reading "catalog.quote.v1"', error);
};

test("a fault names the field and what was expected, and repeats nothing of the data", () => {
  const lines = z.object({ lines: z.array(z.object({ sku: z.string() })) });
  expect(faultOf(lines, { lines: [{ sku: "tea" }, { sku: 7 }] })).toBe(
    'Reading "catalog.quote.v1" at "lines.1.sku": Invalid input: expected string, received number.',
  );
  const byName = z.object({ ages: z.record(z.string(), z.int()) });
  expect(faultOf(byName, { ages: { "ada@example.com": "old" } })).toBe(
    'Reading "catalog.quote.v1" at "ages.*": Invalid input: expected number, received string.',
  );
  expect(faultOf(z.strictObject({}), { "ada@example.com": 1 })).toBe(
    'Reading "catalog.quote.v1": Unrecognized keys.',
  );
});
