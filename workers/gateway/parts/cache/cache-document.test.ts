import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { cacheSchema } from "./cache-schema.ts";
import { CACHE_DEFAULTS } from "./cache-settings.ts";

interface Field {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
}

const DEFAULTS: Readonly<Record<string, unknown>> = CACHE_DEFAULTS;

const rowsOf = (field: Field, prefix = ""): string[] =>
  Object.entries(field.properties ?? {}).flatMap(([name, own]) => {
    const value = prefix === "" ? DEFAULTS[name] : undefined;
    const shown = value === undefined ? "" : ` \`${JSON.stringify(value)}\``;
    return [`| \`${prefix}${name}\` |${shown} | ${own.description} |`, ...rowsOf(own, `${prefix}${name}.`)];
  });

test("docs/reference/cache.md lists every field with its default, and no other", async () => {
  const page = new URL("../../../../docs/reference/cache.md", import.meta.url).pathname;
  const table = (await readFile(page, "utf8")).split("\n## ")[0] ?? "";
  const written = table.split("\n").filter((line) => line.startsWith("| `"));
  expect(written).toEqual(rowsOf(z.toJSONSchema(cacheSchema, { io: "input" }) as Field));
});
