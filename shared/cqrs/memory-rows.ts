/** Makes row changes in memory, as a read store makes them in a database: for tests of projections without one. */
import type { Row, RowChange } from "./row-change.ts";
import { columnsOf } from "./row-change-columns.ts";

/** By the table's name, then by the key's values. */
export type MemoryTables = Map<string, Map<string, Row>>;

/** @throws Error for a table that does not stand, TypeError for rows that are no set */
export const makeRowChange = (tables: MemoryTables, made: RowChange): void => {
  const { change, table, key, rows } = made;
  columnsOf(made);
  const standing = tables.get(table);
  if (!standing) throw new Error(`no such table: ${table}`);
  for (const row of rows) {
    if (change === "set") {
      setAll(standing, row, key);
      continue;
    }
    const id = rowKey(row, key);
    const before = standing.get(id);
    if (change === "delete") standing.delete(id);
    else if (change === "add") standing.set(id, added(before, row, key));
    else if (!before && change !== "update") standing.set(id, row);
    else if (before && change !== "insert") standing.set(id, changed(before, row, change === "upsert"));
  }
};

const setAll = (standing: Map<string, Row>, row: Row, key: readonly string[]): void => {
  for (const [id, before] of standing) {
    if (rowKey(before, key) === rowKey(row, key)) standing.set(id, { ...before, ...row });
  }
};

/** What makes two rows the same one. */
export const rowKey = (row: Row, key: readonly string[]): string =>
  JSON.stringify(key.map((column) => row[column]));

const changed = (before: Row, row: Row, nulls: boolean): Row => {
  const entries = Object.entries(row).filter(([, value]) => nulls || value !== null);
  return { ...before, ...Object.fromEntries(entries) };
};

const added = (before: Row | undefined, row: Row, key: readonly string[]): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      key.includes(column) ? value : Number(before?.[column] ?? 0) + Number(value),
    ]),
  );
