/** The policy as a table for people: each field with its default and meaning, from the schema and nothing else. */
import * as z from "zod";
import {
  DEFAULT_BALANCE,
  DEFAULT_DEADLINE_MS,
  DEFAULT_ZONE,
  OFF_BY_DEFAULT,
  PART_DEFAULTS,
} from "./policy.ts";
import { policySchema } from "./policy-schema.ts";

type Fields = Readonly<Record<string, Field>>;
interface Field {
  readonly description?: string;
  readonly properties?: Fields;
  readonly anyOf?: readonly Field[];
}

const WHOLE: Readonly<Record<string, unknown>> = {
  deadlineMs: DEFAULT_DEADLINE_MS,
  balance: DEFAULT_BALANCE,
  zone: DEFAULT_ZONE,
  slowStartMs: 0,
};

const ON_BY_DEFAULT: ReadonlySet<string> = new Set(["versions", "limits"]);

/** Parts that stand around sending, each with a page of its own. */
const PAGES: Readonly<Record<string, string>> = {
  versions: "versions.md",
  serverTiming: "sessions.md",
  headers: "sessions.md",
  securityHeaders: "sessions.md",
  compression: "sessions.md",
  cors: "sessions.md",
  fault: "fallbacks.md",
  lifecycle: "versions.md",
  authentication: "authentication.md",
  session: "sessions.md",
  rateLimit: "rate-limits.md",
  validation: "openapi.md",
  cache: "cache.md",
  limits: "wire.md",
  mirror: "fallbacks.md",
  fallback: "fallbacks.md",
};

/** One Markdown row for each field that may be written, parts before their own fields. */
export const policyRows = (): string[] => {
  const { properties } = z.toJSONSchema(policySchema, { io: "input" }) as Field;
  return Object.entries(properties ?? {}).flatMap(([name, field]) => rowsOf(name, field));
};

const rowsOf = (name: string, field: Field): string[] => {
  const page = PAGES[name];
  if (page) {
    const { description } = field;
    return [
      row(name, ON_BY_DEFAULT.has(name) ? "on" : "off", {
        description: `${description} [All fields](${page})`,
      }),
    ];
  }
  const defaults = PART_DEFAULTS[name as keyof typeof PART_DEFAULTS] as Fields | undefined;
  const value = defaults ? (OFF_BY_DEFAULT.has(name) ? "off" : "on") : WHOLE[name];
  const own = field.anyOf?.find(({ properties }) => properties)?.properties;
  const inner = defaults ? Object.entries(own ?? {}) : [];
  return [
    row(name, value, field),
    ...inner.map(([each, described]) => row(`${name}.${each}`, defaults?.[each], described)),
  ];
};

const row = (name: string, value: unknown, { description = "" }: Field): string =>
  `| \`${name}\` | ${value === undefined ? "" : shown(value)} | ${description} |`;

const shown = (value: unknown): string =>
  value === "on" || value === "off" ? value : `\`${JSON.stringify(value)}\``;
