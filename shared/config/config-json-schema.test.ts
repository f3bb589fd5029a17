import { expect, test } from "vitest";
import * as z from "zod";
import { configJsonSchema } from "./config-json-schema.ts";
import { checkAgainstSchema, schemaFaults } from "./schema-check.ts";
import { secretPlace } from "./schema-check-secrets.ts";

const secretFields = (schema: unknown) => (path: readonly string[]) =>
  path.reduce((place, part) => place.inside(part), secretPlace(schema)).secret;

const address = z.strictObject({
  host: z.string().min(1).max(253).describe("A name or an address, without its port."),
  token: z.string().optional().meta({ secret: true }),
});
const schema = configJsonSchema(
  z.strictObject({
    first: address.describe("Where to begin."),
    others: z.record(z.string(), address),
    port: z.int().optional(),
    anything: z.json().optional(),
  }),
);

test("what is used in several places is written once, and the rest where it belongs", () => {
  expect(schemaFaults(schema)).toEqual([]);
  expect(JSON.stringify(schema).match(/without its port/g)).toHaveLength(1);
  expect(schema.properties).toMatchObject({
    port: { type: "integer" },
    first: { description: "Where to begin." },
  });
});

test("a value is held to it wherever it stands, and a secret is one in each of its places", () => {
  const value = { first: { host: "" }, others: { b: { host: 3 } } };
  expect(checkAgainstSchema(schema, value).map(({ path }) => path)).toEqual(["first.host", "others.b.host"]);
  expect(checkAgainstSchema(schema, { first: { host: "a" }, others: {}, anything: { a: [1] } })).toEqual([]);
  const isSecret = secretFields(schema);
  expect(
    [
      ["first", "token"],
      ["others", "b", "token"],
      ["first", "host"],
    ].map(isSecret),
  ).toEqual([true, true, false]);
});
