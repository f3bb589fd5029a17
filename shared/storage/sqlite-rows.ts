/** Rows out of a JSON parameter in SQLite. */
import type { RowsDialect } from "./row-change-sql.ts";

export const sqliteRows: RowsDialect = {
  // Lists are half as long as objects, and read by place.
  encode: (row, columns) => columns.map((column) => row[column]),
  from: () => "json_each(?) AS given",
  given: (_, place) => `given.value ->> ${place}`,
  order: () => "",
};
