import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { configJsonSchema } from "./config-json-schema.ts";
import { checkAgainstSchema, schemaFaults } from "./schema-check.ts";
import { secretPlace } from "./schema-check-secrets.ts";

const secretFields = (schema: unknown) => (path: readonly string[]) =>
  path.reduce((place, part) => place.inside(part), secretPlace(schema)).secret;

const paymentsConfig = z.strictObject({
  provider: z.strictObject({
    url: z.url(),
    apiKey: z.string().min(8).meta({ secret: true }),
    timeoutMs: z.int().min(100).max(10_000).default(2_000),
  }),
  currencies: z.array(z.enum(["EUR", "CHF"])).max(3),
  retry: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none") }),
    z.strictObject({ kind: z.literal("backoff"), attempts: z.int().min(1) }),
  ]),
  label: z.union([z.string(), z.number()]).optional(),
  tokens: z.record(z.string().regex(/^[a-z]+$/), z.string().meta({ secret: true })).optional(),
});

const SCHEMA = configJsonSchema(paymentsConfig);
const GOOD = {
  provider: { url: "https://pay.example/", apiKey: "sk_live_0123" },
  currencies: ["EUR"],
  retry: { kind: "backoff", attempts: 3 },
};

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

describe("a configuration", () => {
  test("that fits has no fault", () => {
    expect(schemaFaults(SCHEMA)).toEqual([]);
    expect(checkAgainstSchema(SCHEMA, GOOD)).toEqual([]);
  });

  test.each([
    [{ ...GOOD, currencies: ["EUR", "USD"] }, "currencies.1", 'expected one of "EUR", "CHF"'],
    [{ ...GOOD, currencies: "EUR" }, "currencies", "expected array, not string"],
    [{ ...GOOD, currency: 1 }, "currency", "expected no such field"],
    [{ ...GOOD, retry: { kind: "none", attempts: 1 } }, "retry.attempts", "expected no such field"],
    [{ ...GOOD, retry: { kind: "backoff", attempts: 0 } }, "retry.attempts", "expected at least 1"],
    [{ ...GOOD, retry: { kind: "backoff" } }, "retry.attempts", "expected a value: the field is required"],
    [{ ...GOOD, retry: 3 }, "retry", "expected object, not number"],
    [{ ...GOOD, label: true }, "label", "expected string or number, not boolean"],
    [{ ...GOOD, label: null }, "label", "expected string or number, not null"],
    [{ ...GOOD, tokens: { Able: "x" } }, "tokens.Able", "expected another name"],
    [{ currencies: [], retry: { kind: "none" } }, "provider", "expected a value: the field is required"],
    [
      { ...GOOD, provider: { ...GOOD.provider, url: "nowhere" } },
      "provider.url",
      'expected a text of the format "uri"',
    ],
    [
      { ...GOOD, provider: { ...GOOD.provider, timeoutMs: 200.5 } },
      "provider.timeoutMs",
      "expected integer, not number",
    ],
    [{ ...GOOD, "a.b": 1 }, "a\\.b", "expected no such field"],
    [7, "", "expected object, not number"],
  ])("that does not fit (case %#) has the one fault that tells", (value, path, message) => {
    expect(checkAgainstSchema(SCHEMA, value)).toEqual([{ path, message }]);
  });

  test("has all of its faults named at once", () => {
    const faults = checkAgainstSchema(SCHEMA, { ...GOOD, provider: { timeoutMs: 1 }, extra: 1 });
    expect(faults.map(({ path }) => path).sort()).toEqual([
      "extra",
      "provider.apiKey",
      "provider.timeoutMs",
      "provider.url",
    ]);
  });

  test("is followed through references", () => {
    const schema = object(
      { a: { $ref: "#/$defs/x~1y%20%7Bz" } },
      { $defs: { "x/y {z": object({ n: { minimum: 5 } }) } },
    );
    expect(schemaFaults(schema)).toEqual([]);
    expect(checkAgainstSchema(schema, { a: { n: 4 } })).toEqual([
      { path: "a.n", message: "expected at least 5" },
    ]);
  });

  test.each([
    [{ minProperties: 1 }, {}, [["", "expected at least 1 field"]]],
    [
      { properties: { a: { not: { type: "string" } } } },
      { a: "" },
      [["a", "expected something else: the schema rules this form out"]],
    ],
    [
      { properties: { a: { contains: { const: 1 } } } },
      { a: [2, 3] },
      [["a", "expected an item of the form that the schema names"]],
    ],
    [
      { properties: { a: { contains: { const: 1 }, minContains: 2 } } },
      { a: [1, 3] },
      [["a", "expected at least 2 items of the form that the schema names"]],
    ],
    [
      { properties: { a: { uniqueItems: true } } },
      { a: [1, 1] },
      [["a", "expected items that are all different"]],
    ],
    [{ dependentRequired: { a: ["b"] } }, { a: 1 }, [["b", "expected a value: the field is required"]]],
    [
      { properties: { a: { oneOf: [{ minimum: 1 }, { maximum: 9 }] } } },
      { a: 5 },
      [["a", "expected one form of those that the schema names, not several at once"]],
    ],
    [
      { allOf: [{ required: ["a"] }, { required: ["a"] }] },
      {},
      [["a", "expected a value: the field is required"]],
    ],
    [{ properties: { a: false } }, { a: 1 }, [["a", "expected no such field"]]],
    [
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
      { if: { required: ["a"] }, then: { required: ["b"] } },
      { a: 1 },
      [["b", "expected a value: the field is required"]],
    ],
    [
      { properties: { propertyNames: { maxLength: 1 } } },
      { propertyNames: "ab" },
      [["propertyNames", "expected at most 1 character"]],
    ],
    [
      { properties: { contains: { maxLength: 1 } } },
      { contains: "ab" },
      [["contains", "expected at most 1 character"]],
    ],
    [
      { properties: { constructor: { type: "number" } }, required: ["toString"] },
      { constructor: "" },
      [
        ["toString", "expected a value: the field is required"],
        ["constructor", "expected number, not string"],
      ],
    ],
  ])("is told what keyword %j expects", (keywords, value, faults) => {
    const schema = { type: "object", ...keywords };
    expect(schemaFaults(schema)).toEqual([]);
    expect(checkAgainstSchema(schema, value).map(({ path, message }) => [path, message])).toEqual(faults);
  });

  test("shows nothing of itself in messages, nor what a secret may be", () => {
    const schema = object({
      a: { type: "string", secret: true, enum: ["hunter2"], pattern: "^h" },
      b: { allOf: [{ secret: true }, { const: "hunter2" }] },
      c: { type: "number" },
    });
    const said = JSON.stringify(
      checkAgainstSchema(schema, { a: "swordfish", b: "swordfish", c: "swordfish" }),
    );
    expect(said).toContain('"path":"b","message":"expected another value"');
    expect(said).not.toMatch(/hunter2|swordfish/);
  });

  test("has a bounded number of faults, each bounded", () => {
    const value = { a: Array.from({ length: 5_000 }, () => "x") };
    const schema = object({ a: { items: { enum: Array.from({ length: 500 }, (_, index) => `v${index}`) } } });
    const faults = checkAgainstSchema(schema, value);
    expect(faults).toHaveLength(LIMITS.schemaFaults);
    expect(faults[0]?.message.length).toBe(LIMITS.configFaultCharacters);
  });

  test.each([
    ["deep", JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`), "expected at most 64 levels"],
    ["large", Array.from({ length: 300_000 }, () => 0), "expected at most 250000 values in all"],
    ["long", "x".repeat(20_000), "expected at most 16384 characters"],
  ])("that is too %s is refused, as is such a schema", (_kind, inner, message) => {
    expect(checkAgainstSchema(object({}), { a: inner })[0]?.message).toBe(message);
    expect(schemaFaults(object({ a: { const: inner } }))[0]?.message).toBe(message);
  });
});

describe("a schema", () => {
  test.each([
    ["x", "", "expected a schema: an object, true or false"],
    [true, "type", 'expected "object": a configuration is one'],
    [{ type: "array" }, "type", 'expected "object": a configuration is one'],
    [{ type: "text" }, "type", 'expected "string", "number"'],
    [object({ a: { minimum: "1" } }), "properties.a.minimum", "expected a number"],
    [object({ a: { enum: 1 } }), "properties.a.enum", "expected a list of values"],
    [object({ a: 3 }), "properties.a", "expected a schema: an object, true or false"],
    [object({ a: { anyOf: [] } }), "properties.a.anyOf", "expected a list of schemas"],
    [object({ a: { items: [{}] } }), "properties.a.items", "expected a schema: an object, true or false"],
    [object({ a: { pattern: "(" } }), "properties.a.pattern", "expected a regular expression"],
    [object({ a: { pattern: "^(a+)+$" } }), "properties.a.pattern", "expected a regular expression"],
    [object({ a: { pattern: "^(\\w+\\s?)*$" } }), "properties.a.pattern", "expected a regular expression"],
    [
      object({ a: { $ref: "https://example.com/schema" } }),
      "properties.a.$ref",
      "expected a place in this schema",
    ],
    [object({ a: { $ref: "other.json#/a" } }), "properties.a.$ref", "expected a place in this schema"],
    [object({ a: { $ref: "#/$defs/b" } }), "properties.a.$ref", 'and "#/$defs/b" is not there'],
    [object({ a: { $id: "https://example.com/" } }), "properties.a.$id", "expected no identifiers"],
    [object({ a: { $dynamicRef: "#a" } }), "properties.a.$dynamicRef", "expected no dynamic references"],
    [object({}, { $schema: "http://json-schema.org/draft-07/schema#" }), "$schema", "2020-12"],
    [{ ...object({}), $ref: "#" }, "", "does not refer to itself for the same value"],
    [object({ a: { secret: "yes" } }), "properties.a.secret", "expected true or false"],
  ])("that is none of ours (case %#) is refused with the place", (schema, path, message) => {
    const [fault, ...others] = schemaFaults(schema);
    expect(fault?.path).toBe(path);
    expect(fault?.message).toContain(message);
    expect(others).toEqual([]);
    if (path !== "type")
      expect(checkAgainstSchema(schema, {})[0]?.message).toContain("expected a valid schema");
  });

  test("may refer to itself for what lies inside", () => {
    const schema = configJsonSchema(z.object({ anything: z.json() }));
    expect(schemaFaults(schema)).toEqual([]);
    expect(checkAgainstSchema(schema, { anything: [{ a: [null] }] })).toEqual([]);
  });

  test("may have annotations and keywords that nobody knows", () => {
    const schema = object({
      a: { title: "A", "x-unit": "ms", examples: [1], format: "hasOwnProperty", id: "a" },
    });
    expect(schemaFaults(schema)).toEqual([]);
    expect(checkAgainstSchema(schema, { a: "x" })).toEqual([]);
  });

  test("is left as it was", () => {
    const frozen = Object.freeze({ ...SCHEMA });
    const before = JSON.stringify(frozen);
    checkAgainstSchema(frozen, GOOD);
    expect(JSON.stringify(frozen)).toBe(before);
  });

  test.each([
    [
      "asks for each level twice",
      object(
        {},
        {
          $ref: "#/$defs/n",
          $defs: {
            n: {
              anyOf: [
                { properties: { a: { $ref: "#/$defs/n" } }, required: ["z"] },
                { properties: { a: { $ref: "#/$defs/n" } }, required: ["z"] },
              ],
            },
          },
        },
      ),
      JSON.parse(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`),
    ],
    [
      "doubles by reference",
      object(
        {},
        {
          $ref: "#/$defs/d0",
          $defs: Object.fromEntries(
            Array.from({ length: 60 }, (_, n) => [
              `d${n}`,
              n === 59 ? {} : { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
            ]),
          ),
        },
      ),
      {},
    ],
    [
      "compares each item with each, again and again",
      object({ a: { allOf: Array.from({ length: 500 }, () => ({ uniqueItems: true })) } }),
      { a: Array.from({ length: 15_000 }, (_, index) => index) },
    ],
  ])("that %s is given up in bounded time", (_what, schema, value) => {
    expect(schemaFaults(schema)).toEqual([]);
    const started = performance.now();
    expect(checkAgainstSchema(schema, value)[0]?.message).toContain("these take too long together");
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test.each([
    ["^a|b$", "a-", true],
    ["^a|b$", "-b", true],
    ["^a|b$", "-", false],
    ["(a)\\1", "-aa-", true],
    ["(a)\\1", "-a-a-", false],
    ["^.$", "\u{1f600}", true],
    ["^$", "\n", false],
  ])("has its pattern %j hold for %j: %s", (pattern, text, holds) => {
    const faults = checkAgainstSchema(object({ a: { pattern } }), { a: text });
    expect(faults).toEqual(
      holds ? [] : [{ path: "a", message: `expected a text that matches "${pattern}"` }],
    );
  });

  test("has its patterns tried on short texts only", () => {
    const schema = object({ a: { pattern: "a*a*a*b$" } });
    const long = { a: "a".repeat(LIMITS.configTextCharacters) };
    expect(checkAgainstSchema(schema, long)).toEqual([
      { path: "a", message: "expected at most 2048 characters" },
    ]);
    expect(checkAgainstSchema(object({ a: { pattern: "b$" } }), { a: `${"a".repeat(2_047)}b` })).toEqual([]);
  });

  test("never makes the check throw, whatever schema and value are", () => {
    const keyword = fc.constantFrom(
      "type",
      "properties",
      "items",
      "anyOf",
      "oneOf",
      "allOf",
      "not",
      "if",
      "then",
      "$ref",
      "enum",
      "const",
      "required",
      "pattern",
      "additionalProperties",
      "patternProperties",
      "propertyNames",
      "contains",
      "minimum",
      "multipleOf",
      "__proto__",
      "a",
      "secret",
      "$defs",
      "format",
    );
    const schemas = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(
          true,
          false,
          "object",
          "string",
          "#",
          "#/$defs/a",
          "#/properties/a",
          "^a",
          1,
          -1,
          null,
          ["a"],
        ),
        fc.dictionary(keyword, tie("any"), { maxKeys: 4 }),
        fc.array(tie("any"), { maxLength: 3 }),
      ),
    })).any;
    let valid = 0;
    fc.assert(
      fc.property(schemas, fc.oneof(fc.jsonValue(), schemas), (schema, value) => {
        if (schemaFaults({ type: "object", ...(schema as object) }).length === 0) valid++;
        for (const fault of checkAgainstSchema(schema, value)) expect(typeof fault.message).toBe("string");
        secretFields(schema)(["a", "b"]);
      }),
      { numRuns: 2_000 },
    );
    expect(valid).toBeGreaterThan(100);
  });
});

describe("secret fields", () => {
  test("are those that the schema marks, through references, alternatives, maps and lists", () => {
    const isSecret = secretFields(SCHEMA);
    expect(isSecret(["provider", "apiKey"])).toBe(true);
    expect(isSecret(["provider", "url"])).toBe(false);
    expect(isSecret(["provider"])).toBe(false);
    expect(isSecret(["tokens", "any"])).toBe(true);
    const nested = secretFields(
      object(
        { a: { $ref: "#/$defs/n" } },
        {
          $defs: {
            n: {
              properties: {
                children: { items: { $ref: "#/$defs/n" } },
                key: { anyOf: [{ type: "null" }, { secret: true }] },
              },
            },
          },
        },
      ),
    );
    expect(nested(["a", "children", "0", "children", "7", "key"])).toBe(true);
    expect(nested(["a", "children", "0", "children", "7", "key", "below"])).toBe(true);
    expect(nested(["a", "children", "0", "name"])).toBe(false);
  });
});
