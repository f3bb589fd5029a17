import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { lifecycleSchema } from "../lifecycle/lifecycle-schema.ts";
import { METADATA_KEYS } from "../lifecycle/registered-lifecycle.ts";
import { VERSIONS_DEFAULTS, versionsSchema } from "./versions-schema.ts";

const rowsOf = (name: string, schema: z.ZodType, middle: (field: string) => string): string[] =>
  Object.entries(z.toJSONSchema(schema, { io: "input" }).properties ?? {}).map(
    ([field, each]) =>
      `| \`${name}.${field}\` | \`${middle(field)}\` | ${(each as { description?: string }).description} |`,
  );

test("docs/reference/versions.md lists every field with its default or key of metadata, and no other", async () => {
  const page = new URL("../../../../docs/reference/versions.md", import.meta.url);
  const text = await readFile(page.pathname, "utf8");
  const defaults: Readonly<Record<string, unknown>> = VERSIONS_DEFAULTS;
  const keys: Readonly<Record<string, string>> = METADATA_KEYS;
  expect(text.split("\n").filter((line) => line.startsWith("| `"))).toEqual([
    ...rowsOf("versions", versionsSchema, (field) => JSON.stringify(defaults[field])),
    ...rowsOf("lifecycle", lifecycleSchema, (field) => keys[field] ?? ""),
  ]);
});
