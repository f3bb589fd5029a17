import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { COMPRESSION_DEFAULTS } from "../compression/compression.ts";
import { compressionSchema } from "../compression/compression-schema.ts";
import { CORS_DEFAULTS } from "../cors/cors.ts";
import { corsSchema } from "../cors/cors-schema.ts";
import { headerEditsSchema } from "../header-edits/header-edits-schema.ts";
import { SECURITY_HEADER_DEFAULTS } from "../security-headers/security-headers.ts";
import { securityHeadersSchema } from "../security-headers/security-headers-schema.ts";
import { SERVER_TIMING_DEFAULTS } from "../server-timing/server-timing.ts";
import { serverTimingSchema } from "../server-timing/server-timing-schema.ts";
import { sessionSchema } from "./session-schema.ts";
import { CSRF_DEFAULTS, SESSION_DEFAULTS } from "./session-settings.ts";

interface Field {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly anyOf?: readonly Field[];
}

const fieldsOf = (field: Field): [string, Field][] =>
  Object.entries(field.properties ?? field.anyOf?.find(({ properties }) => properties)?.properties ?? {});

const rowsOf = (
  part: string,
  schema: z.ZodType | Field,
  defaults: Readonly<Record<string, unknown>>,
): string[] =>
  fieldsOf(schema instanceof z.ZodType ? (z.toJSONSchema(schema, { io: "input" }) as Field) : schema).flatMap(
    ([name, field]) => {
      const value = defaults[name];
      const shown =
        value === undefined ? "" : value === CSRF_DEFAULTS ? "on" : `\`${JSON.stringify(value)}\``;
      const own = `| \`${part}.${name}\` | ${shown} | ${field.description ?? ""} |`;
      const inner =
        fieldsOf(field).length > 0 ? rowsOf(`${part}.${name}`, field, (value ?? {}) as typeof defaults) : [];
      return [own, ...inner];
    },
  );

const ROWS = [
  ...rowsOf("session", sessionSchema, { ...SESSION_DEFAULTS, csrf: CSRF_DEFAULTS }),
  ...rowsOf("cors", corsSchema, CORS_DEFAULTS),
  ...rowsOf("securityHeaders", securityHeadersSchema, SECURITY_HEADER_DEFAULTS),
  ...rowsOf("headers", headerEditsSchema, {}),
  ...rowsOf("compression", compressionSchema, COMPRESSION_DEFAULTS),
  ...rowsOf("serverTiming", serverTimingSchema, SERVER_TIMING_DEFAULTS),
];

test("docs/reference/sessions.md lists every field with its default, and no other", async () => {
  const place = new URL("../../../../docs/reference/sessions.md", import.meta.url).pathname;
  const text = await readFile(place, "utf8");
  expect(text.split("\n").filter((line) => line.startsWith("| `"))).toEqual(ROWS);
  expect(ROWS.filter((line) => line.endsWith("|  |"))).toEqual([]);
});
