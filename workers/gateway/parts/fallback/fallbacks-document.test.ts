import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { FAULT_DEFAULTS, faultSchema } from "../fault/fault-schema.ts";
import { MIRROR_DEFAULTS, mirrorSchema } from "../mirror/mirror-schema.ts";
import { FALLBACK_DEFAULTS, fallbackSchema } from "./fallback-schema.ts";

interface Field {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
}

const rowsOf = (name: string, schema: z.ZodType, defaults: Readonly<Record<string, unknown>>): string[] => {
  const walk = (field: Field, path: string): string[] =>
    Object.entries(field.properties ?? {}).flatMap(([key, each]) => {
      const at = `${path}.${key}`;
      const value = defaults[at.slice(name.length + 1)];
      const shown = value === undefined ? "" : value === "off" ? value : `\`${JSON.stringify(value)}\``;
      return [`| \`${at}\` | ${shown} | ${each.description ?? ""} |`, ...walk(each, at)];
    });
  return walk(z.toJSONSchema(schema, { io: "input" }) as Field, name);
};

const { delayMs, status, at } = FAULT_DEFAULTS;
const FAULTS = {
  delay: "off",
  "delay.ms": delayMs,
  "delay.percentage": 0,
  abort: "off",
  "abort.status": status,
  "abort.percentage": 0,
  at,
  byHeader: false,
};

test("docs/reference/fallbacks.md lists every field with its default and meaning, and no other", async () => {
  const page = new URL("../../../../docs/reference/fallbacks.md", import.meta.url);
  const text = await readFile(page.pathname, "utf8");
  expect(text.split("\n").filter((line) => /^\| `(?:fallback|mirror|fault)\./.test(line))).toEqual([
    ...rowsOf("fallback", fallbackSchema, FALLBACK_DEFAULTS),
    ...rowsOf("mirror", mirrorSchema, MIRROR_DEFAULTS),
    ...rowsOf("fault", faultSchema, FAULTS),
  ]);
});
