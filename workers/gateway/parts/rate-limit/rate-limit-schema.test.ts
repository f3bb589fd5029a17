import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { RATE_LIMIT_DEFAULTS } from "./named-limits.ts";
import { rateLimitSchema } from "./rate-limit-schema.ts";

const [oneLimit] = rateLimitSchema.options;

test("the documentation's table is the schema's fields with their defaults and meanings", () => {
  const page = readFileSync(
    new URL("../../../../docs/reference/rate-limits.md", import.meta.url).pathname,
    "utf8",
  );
  const defaults: Readonly<Record<string, unknown>> = RATE_LIMIT_DEFAULTS;
  const rows = Object.entries(z.toJSONSchema(oneLimit).properties ?? {}).map(([name, field]) => {
    const value = defaults[name] === undefined ? " " : ` \`${JSON.stringify(defaults[name])}\` `;
    return `| \`${name}\` |${value}| ${(field as { description?: string }).description} |`;
  });
  expect(page.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
});

test("one to four limits may be written, and nothing that the part does not know", () => {
  expect(rateLimitSchema.safeParse({}).success).toBe(true);
  expect(rateLimitSchema.safeParse([{}, {}, {}, {}]).success).toBe(true);
  expect(rateLimitSchema.safeParse([]).success).toBe(false);
  expect(rateLimitSchema.safeParse([{}, {}, {}, {}, {}]).success).toBe(false);
  expect(rateLimitSchema.safeParse({ perMinute: 5 }).success).toBe(false);
});
