/** What every read store holds row changes to, so that a mistake shows in all of them and not only where a database minds. */
import type { RowChange } from "./row-change.ts";

/**
 * The columns of a change's rows, the key's first; none of a change without rows.
 * @throws TypeError for a change whose rows are no set: without a key, with other columns, or with a key twice
 */
export const columnsOf = ({ change, table, key, rows }: RowChange): readonly string[] => {
  const [first] = rows;
  if (first === undefined) return [];
  const attempt = `Making the change "${change}" of the table "${table}"`;
  const columns = [...key, ...Object.keys(first).filter((column) => !key.includes(column))];
  if (key.length === 0)
    throw new TypeError(`${attempt}: it has no key; expected the columns that name a row`);
  const seen = new Set<unknown>();
  for (const row of rows) {
    if (Object.keys(row).length !== columns.length || columns.some((column) => row[column] === undefined)) {
      const found = Object.keys(row).join(", ");
      throw new TypeError(`${attempt}: a row has "${found}"; expected "${columns.join(", ")}" of each`);
    }
    const id = key.length === 1 ? row[key[0] ?? ""] : JSON.stringify(key.map((column) => row[column]));
    // A key may be somebody's address, and what fails is shown.
    if (seen.has(id))
      throw new TypeError(`${attempt}: row ${seen.size + 1} has a key that is there twice; expected it once`);
    seen.add(id);
  }
  return columns;
};
