/** Reads a record of a configuration entry by entry, so that those which have not changed are not checked again. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { frozen } from "./frozen.ts";

/**
 * Top-level records whose entries stand each for itself: nothing that their schema, or the object around it, asks of one
 * depends on another. `most` is how many there may be, which only all of them together show.
 */
export const entriesApart = z.registry<{ readonly most: number }>();

/** An entry as it was read, by its text: in another order of its fields it is read again, which harms nothing. */
interface Kept {
  readonly text: string;
  readonly entry: unknown;
  /** The other form of it, where a candidate has one. */
  readonly other: Kept | undefined;
}

/** By field and name. */
type Entries = Map<string, Map<string, Kept>>;

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
      parse: (value) => parsed(value, { schema, records, known, met }),
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
  const written = { ...value };
  const splits: { readonly field: string; readonly entries: readonly Split[] }[] = [];
  for (const { field, most } of records) {
    const record = value[field];
    if (!isRecord(record)) continue;
    const entries = splitBy(record, [known.get(field), met.get(field)]);
    if (entries.length > most) continue;
    splits.push({ field, entries });
    const fresh = entries.filter(({ kept }) => !kept).map(({ name }) => [name, record[name] as JsonValue]);
    Object.assign(written, { [field]: Object.fromEntries(fresh) });
  }
  const result = schema.safeParse(written);
  if (!result.success) return result;
  const data = { ...(result.data as Record<string, unknown>) };
  for (const { field, entries } of splits) {
    const forms = met.get(field) ?? new Map<string, Kept>();
    met.set(field, forms);
    data[field] = together(entries, { read: data[field] as Record<string, unknown>, forms });
  }
  return { success: true, data: data as z.infer<Schema> };
};

const isRecord = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Split {
  readonly name: string;
  readonly text: string;
  /** Absent: it is to be read. */
  readonly kept: Kept | undefined;
}

const splitBy = (
  record: JsonObject,
  [known, met]: readonly [ReadonlyMap<string, Kept> | undefined, ReadonlyMap<string, Kept> | undefined],
): Split[] =>
  Object.entries(record).map(([name, value]) => {
    const text = JSON.stringify(value);
    return { name, text, kept: ofText(known?.get(name), text) ?? ofText(met?.get(name), text) };
  });

const ofText = (kept: Kept | undefined, text: string): Kept | undefined => {
  let each = kept;
  while (each && each.text !== text) each = each.other;
  return each;
};

/** In the order in which they are written, all of them remembered in `forms`. */
const together = (
  entries: readonly Split[],
  { read, forms }: { read: Readonly<Record<string, unknown>>; forms: Map<string, Kept> },
): Record<string, unknown> =>
  Object.fromEntries(
    entries.map(({ name, text, kept }) => {
      const entry = kept ? kept.entry : frozen(read[name]);
      const former = forms.get(name);
      if (!ofText(former, text)) {
        const same = kept && kept.other === former ? kept : undefined;
        forms.set(name, same ?? { text, entry, other: former });
      }
      return [name, entry];
    }),
  );
