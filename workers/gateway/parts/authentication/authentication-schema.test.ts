/** Holds what an operator may write, that the control plane checks it alike, and that the reference page says the same. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import { checkAgainstSchema, schemaFaults } from "#shared/config/schema-check.ts";
import { API_KEY_DEFAULTS } from "./api-keys.ts";
import { AUTHENTICATION_DEFAULTS } from "./authentication.ts";
import { authenticationSchema } from "./authentication-schema.ts";
import { FAILURE_DEFAULTS } from "./failures.ts";
import { ISSUER_DEFAULTS } from "./token-claims.ts";

const HASH = "a".repeat(64);
const ISSUER = { issuer: "https://issuer.example", audience: "api" };
const URL_ISSUER = { ...ISSUER, jwksUrl: "https://issuer.example/keys" };
const schema = configJsonSchema(z.strictObject({ authentication: authenticationSchema }));
const bothTake = (authentication: unknown) => [
  authenticationSchema.safeParse(authentication).success,
  checkAgainstSchema(schema, { authentication }).length === 0,
];

test("the control plane can check it", () => {
  expect(schemaFaults(schema)).toEqual([]);
});

test.each([
  {},
  { apiKeys: false, jwt: false, mtls: false, optional: true, failures: false },
  { failures: { limit: 5, periodSeconds: 10, burst: 50 } },
  {
    apiKeys: {
      header: "authorization",
      scheme: "Key",
      keys: { "a-1": { hash: HASH, expiresAt: "2027-01-01T00:00:00+01:00", scopes: ["orders:read"] } },
    },
  },
  { jwt: { issuers: [{ ...URL_ISSUER, algorithms: ["EdDSA"], clockSkewSeconds: 300 }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, jwksUrl: "http://localhost:8787/keys" }] } },
  { jwt: { issuers: [{ ...ISSUER, jwks: { keys: [{ kty: "EC", x: "A" }] } }] } },
  {
    jwt: {
      issuers: [
        { ...URL_ISSUER, tenant: "acme" },
        { ...ISSUER, jwks: { keys: [] }, tenant: "b" },
      ],
    },
  },
  { jwt: { issuers: [{ ...URL_ISSUER, tenantClaim: "https://a.example/org" }] } },
  { mtls: { fingerprints: { [HASH]: { owner: "a" } }, subjects: { "CN=a,O=b": {} } }, scopes: ["a"] },
])("%j is taken", (written) => {
  expect(bothTake(written)).toEqual([true, true]);
});

test.each([
  { apiKeys: { keys: { a_b: { hash: HASH } } } },
  { apiKeys: { keys: { a: { hash: "sesame" } } } },
  { apiKeys: { keys: { a: {} } } },
  { apiKeys: { header: "X-Api-Key", keys: {} } },
  { jwt: { issuers: [ISSUER] } },
  { jwt: { issuers: [{ ...URL_ISSUER, jwks: { keys: [] } }] } },
  { jwt: { issuers: [{ issuer: "a", jwksUrl: URL_ISSUER.jwksUrl }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, jwksUrl: "http://issuer.example/keys" }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, jwksUrl: "http://localhost.evil.example/keys" }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, algorithms: ["HS256"] }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, algorithms: ["none"] }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, algorithms: [] }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, clockSkewSeconds: 301 }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, tenant: "acme", tenantClaim: "org" }] } },
  { jwt: { issuers: [{ ...ISSUER, jwks: { keys: [] }, tenant: "acme", tenantClaim: "org" }] } },
  { jwt: { issuers: [{ ...URL_ISSUER, tenant: "a.b" }] } },
  { apiKeys: { keys: { a: { hash: HASH, tenant: "*" } } } },
  { mtls: { subjects: { "CN=a": { tenant: "x".repeat(65) } } } },
  { mtls: { fingerprints: { ABC: {} } } },
  { scopes: ['a"b'] },
  { scopes: ["a b"] },
  { anyScope: "a" },
  { failures: { limit: 0 } },
  { failures: { periodSeconds: 0.5 } },
  { failures: true },
])("%j is not taken", (written) => {
  expect(bothTake(written)).toEqual([false, false]);
});

const DEFAULTS: Readonly<Record<string, unknown>> = {
  ...AUTHENTICATION_DEFAULTS,
  apiKeys: "off",
  jwt: "off",
  mtls: "off",
  "failures.limit": FAILURE_DEFAULTS.limit,
  "failures.periodSeconds": FAILURE_DEFAULTS.periodSeconds,
  "apiKeys.header": API_KEY_DEFAULTS.header,
  "apiKeys.scheme": API_KEY_DEFAULTS.scheme,
  ...Object.fromEntries(
    Object.entries(ISSUER_DEFAULTS).map(([name, value]) => [`jwt.issuers[].${name}`, value]),
  ),
  "apiKeys.keys.*.scopes": [],
  "apiKeys.keys.*.disabled": false,
  "mtls.fingerprints.*.scopes": [],
  "mtls.subjects.*.scopes": [],
};

interface Field {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly additionalProperties?: Field | boolean;
  readonly items?: Field;
  readonly anyOf?: readonly Field[];
}

/** A row for each field, those of a record under `*` and of an array under `[]`; key documents are their issuer's affair. */
const rowsUnder = (path: string, { properties, additionalProperties, items, anyOf }: Field): string[] => [
  ...new Set([
    ...Object.entries(properties ?? {}).flatMap(([name, field]) => {
      const inner = path === "" ? name : `${path}.${name}`;
      const value = DEFAULTS[inner];
      const shown = value === undefined ? "" : value === "off" ? value : `\`${JSON.stringify(value)}\``;
      const row = `| \`${inner}\` | ${shown} | ${field.description} |`;
      return name === "jwks" ? [row] : [row, ...rowsUnder(inner, field)];
    }),
    ...(typeof additionalProperties === "object" ? rowsUnder(`${path}.*`, additionalProperties) : []),
    ...(items ? rowsUnder(`${path}[]`, items) : []),
    ...(anyOf ?? []).flatMap((each) => rowsUnder(path, each)),
  ]),
];

test("docs/reference/authentication.md has a row for each field, with its default and meaning", async () => {
  const page = new URL("../../../../docs/reference/authentication.md", import.meta.url).pathname;
  const [fields = ""] = (await readFile(page, "utf8")).split("## Identity");
  const documented = fields.split("\n").filter((line) => line.startsWith("| `"));
  expect(documented).toEqual(rowsUnder("", z.toJSONSchema(authenticationSchema, { io: "input" }) as Field));
});
