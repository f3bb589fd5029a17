import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { checkAgainstSchema, schemaFaults } from "#shared/config/schema-check.ts";
import { policySchema } from "../policy/policy-schema.ts";
import { routeSchema } from "./route-schema.ts";

const schema = routeSchema(policySchema);
const faultsOf = (route: unknown): string[] =>
  (schema.safeParse(route).error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
const to = { service: "orders" };

const WHOLE = {
  match: {
    path: ["/shop/:tenant/orders/*", "/:tenant/o/*"],
    host: "*.example.com",
    methods: ["GET", "HEAD"],
    headers: { "X-Tenant": "a", "x-b": { present: true } },
    query: { v: { not: "1" } },
    cookies: { beta: { prefix: "y" } },
    contentType: "application/json",
    accept: ["text/html;level=1", "image/*"],
    weight: { group: "orders", share: 10 },
  },
  priority: 5,
  to: [{ service: "orders", major: 2, weight: 3 }, { url: "https://legacy.example/api" }],
  canary: {
    to: { service: "orders", major: 3 },
    percentage: 5,
    header: { name: "x-canary", value: "1" },
    key: { cookie: "sid" },
  },
  rewrite: "/v2/:tenant/*",
  policy: { deadlineMs: 500 },
};

describe("a route", () => {
  test("may say all of it, or nothing but where it leads", () => {
    expect(faultsOf(WHOLE)).toEqual([]);
    expect(faultsOf({ match: {}, to })).toEqual([]);
    expect(faultsOf({ match: {}, to, rewrite: { stripPrefix: 2 } })).toEqual([]);
  });

  test.each<[object, string]>([
    [{ match: {} }, "to"],
    [{ to }, "match"],
    [{ match: { path: "/a/*/b" }, to }, "match.path"],
    [{ match: { path: [] }, to }, "match.path"],
    [{ match: { host: "*" }, to }, "match.host"],
    [{ match: { host: "a.*.b" }, to }, "match.host"],
    [{ match: { host: "a:80" }, to }, "match.host"],
    [{ match: { methods: ["get"] }, to }, "match.methods.0"],
    [{ match: { headers: { "a b": "1" } }, to }, "match.headers.a b"],
    [{ match: { headers: { a: { regex: "(a+)+" } } }, to }, "match.headers.a"],
    [{ match: { contentType: "*/*" }, to }, "match.contentType"],
    [{ match: { accept: "a/b;q=1" }, to }, "match.accept"],
    [{ match: { accept: "a/b, c/d" }, to }, "match.accept"],
    [
      { match: { query: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`q${i}`, "1"])) }, to },
      "at most 16 conditions",
    ],
    [{ match: {}, to: [] }, "to"],
    [{ match: {}, to: Array.from({ length: 17 }, () => to) }, "to"],
    [{ match: {}, to: { ...to, weight: 0 } }, "above 0"],
    [{ match: {}, to: { url: "ftp://a" } }, "to"],
    [{ match: {}, to: { url: "https://user@a/" } }, "to"],
    [{ match: {}, to: { url: "https://a/?b" } }, "to"],
    [{ match: {}, to: { url: "https://[::zz]/" } }, "to"],
    [{ match: {}, to, canary: { to } }, "a percentage or a header"],
    [
      { match: {}, to, canary: { to, header: { name: "a", value: "b" }, key: "client" } },
      "canary: expected a percentage",
    ],
    [{ match: { path: ["/:a/:b", "/:a"] }, to, rewrite: "/:b" }, "expected no b, which /:a does not have"],
    [{ match: { path: "/a" }, to, rewrite: "/b/*" }, "expected no *, which /a does not have"],
    [{ match: {}, to, rewrite: { stripPrefix: 0 } }, "rewrite"],
    [{ match: {}, to, also: 1 }, "also"],
  ])("%j is refused", (route, fault) => {
    expect(faultsOf(route).join("\n")).toContain(fault);
  });

  test("is a part of a JSON Schema that the control plane takes and checks by", () => {
    const whole = z.toJSONSchema(z.strictObject({ routes: z.record(z.string(), schema) }), { io: "input" });
    expect(schemaFaults(whole)).toEqual([]);
    expect(checkAgainstSchema(whole, { routes: { whole: WHOLE } })).toEqual([]);
    expect(checkAgainstSchema(whole, { routes: { bad: { match: {}, to: { url: "ftp://a" } } } })).not.toEqual(
      [],
    );
  });
});

describe("the reference", () => {
  interface Field {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, Field>>;
  }
  const described = (field: Field, prefix: string): string[] =>
    Object.entries(field.properties ?? {}).map(
      ([name, { description = "" }]) => `| \`${prefix}${name}\` | ${description} |`,
    );

  test("has each field of a route with the words of its schema", () => {
    const docs = readFileSync("docs/reference/routes.md", "utf8");
    const { properties = {} } = z.toJSONSchema(schema, { io: "input" }) as Field;
    const rows = [
      ...described({ properties }, ""),
      ...described(properties.match ?? {}, "match."),
      ...described(properties.canary ?? {}, "canary."),
    ];
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.filter((row) => !docs.includes(row))).toEqual([]);
  });
});
