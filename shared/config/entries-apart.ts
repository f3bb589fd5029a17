/** Reads a record of a configuration entry by entry, so that those which have not changed are not checked again. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { frozen } from "./frozen.ts";

/**
 * Top-level records whose entries stand each for itself: nothing that their schema, or the object around it, asks of one
 * depends on another. `most` is how many there may be, which only all of them together show.
 */
export const entriesApart = z.registry<{ readonly most: number }>();

interface Kept {
  readonly text: string;
  readonly entry: unknown;
}

/** By field and name; several of a name while there is a candidate. */
type Entries = Map<string, Map<string, readonly Kept[]>>;

/** One reading of a whole configuration: both of its sides, of which `done` keeps what they have. */
export interface Reading<Schema extends z.ZodType> {
  /** As `safeParse`; an entry that was read before, and says the same, is the same object. */
  parse(value: JsonObject): z.ZodSafeParseResult<z.infer<Schema>>;
  done(): void;
}

export const entryReader = <Schema extends z.ZodType>(schema: Schema): (() => Reading<Schema>) => {
  const records = recordsOf(schema);
  let known: Entries = new Map();
  return () => {
    const met: Entries = new Map();
    return {
      parse: (value) =>
        records.length === 0 ? schema.safeParse(value) : parsed(value, { schema, records, known, met }),
      done() {
        known = met;
      },
    };
  };
};

interface ApartRecord {
  readonly field: string;
  readonly most: number;
}

const recordsOf = (schema: z.ZodType): ApartRecord[] =>
  schema instanceof z.ZodObject
    ? Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([field, type]) => {
        const { most } = entriesApart.get(type) ?? {};
        return most === undefined ? [] : [{ field, most }];
      })
    : [];

interface Parsing<Schema> {
  readonly schema: Schema;
  readonly records: readonly ApartRecord[];
  readonly known: Entries;
  readonly met: Entries;
}

/** The schema reads everything but the entries that it has read before. */
const parsed = <Schema extends z.ZodType>(
  value: JsonObject,
  { schema, records, known, met }: Parsing<Schema>,
): z.ZodSafeParseResult<z.infer<Schema>> => {
  const fresh: Record<string, JsonValue> = { ...value };
  const split = records.flatMap(({ field, most }) => {
    const written = value[field];
    if (!isRecord(written) || Object.keys(written).length > most) return [];
    const parts = splitBy(written, [known.get(field), met.get(field)]);
    fresh[field] = parts.fresh;
    return [{ field, written, ...parts }];
  });
  const result = schema.safeParse(fresh);
  if (!result.success) return result;
  const data = { ...(result.data as Record<string, Record<string, unknown>>) };
  for (const { field, written, texts, old } of split) {
    const read = data[field] as Record<string, unknown>;
    const entries = Object.keys(written).map(
      (name) => [name, old.has(name) ? old.get(name) : frozen(read[name])] as const,
    );
    data[field] = Object.fromEntries(entries);
    remember(met, field, { entries, texts });
  }
  return { success: true, data: data as z.infer<Schema> };
};

const isRecord = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** By their texts: an entry whose fields come in another order is read again, which harms nothing. */
const splitBy = (
  written: JsonObject,
  knowns: readonly (ReadonlyMap<string, readonly Kept[]> | undefined)[],
) => {
  const texts = new Map<string, string>();
  const old = new Map<string, unknown>();
  const fresh: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(written)) {
    const text = JSON.stringify(value);
    texts.set(name, text);
    const kept = keptOf(name, text, knowns);
    if (kept) old.set(name, kept.entry);
    else fresh.push([name, value]);
  }
  return { texts, old, fresh: Object.fromEntries(fresh) };
};

const keptOf = (
  name: string,
  text: string,
  knowns: readonly (ReadonlyMap<string, readonly Kept[]> | undefined)[],
): Kept | undefined => {
  for (const known of knowns) {
    const kept = known?.get(name)?.find((each) => each.text === text);
    if (kept) return kept;
  }
  return undefined;
};

const remember = (
  met: Entries,
  field: string,
  {
    entries,
    texts,
  }: { entries: readonly (readonly [string, unknown])[]; texts: ReadonlyMap<string, string> },
): void => {
  const all = met.get(field) ?? new Map<string, readonly Kept[]>();
  met.set(field, all);
  for (const [name, entry] of entries) {
    const text = texts.get(name) ?? "";
    const others = all.get(name)?.filter((kept) => kept.text !== text) ?? [];
    all.set(name, [...others, { text, entry }]);
  }
};
