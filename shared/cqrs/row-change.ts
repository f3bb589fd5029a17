/** What changes in a read model, as data: every read store makes it set by set, in its own dialect. */

/** What JSON can say of a column; a list or an object becomes JSON text where the database has no type for it. */
export type ColumnValue = string | number | boolean | null | readonly unknown[] | object;

/** By the column's name in the database. */
export type Row = Readonly<Record<string, ColumnValue>>;

/**
 * - `insert`: new rows; one whose key stands already stays as it is
 * - `upsert`: new rows, or other values of the standing ones, null included
 * - `merge`: the same, but null keeps what stands
 * - `update`: other values of rows that stand, null keeps; no row comes into being
 * - `set`: other values, null included, of every row that stands with these values of the key; it need not be unique
 * - `add`: numbers that are added to those that stand, or to nothing; null is 0
 * - `delete`: rows that go; only their keys are looked at
 */
export type RowChangeKind = "insert" | "upsert" | "merge" | "update" | "set" | "add" | "delete";

export interface RowChange {
  readonly change: RowChangeKind;
  readonly table: string;
  /** The columns that name a row: the table's primary key, or a unique index of it; for `set` any. */
  readonly key: readonly string[];
  /** All with the same columns, the key's among them, no key twice; a new row has its columns' defaults for all others. */
  readonly rows: readonly Row[];
}
