/** Rows out of a JSON parameter in Postgres, each column of the type that the table has. */
import { quotedIdentifier } from "./identifier.ts";
import type { RowsDialect } from "./row-change-sql.ts";

export const postgresRows: RowsDialect = {
  encode: (row) => row,
  from: (table) => `json_populate_recordset(null::${table}, $1::json) AS given`,
  given: (column) => `given.${quotedIdentifier(column)}`,
  // Transactions that write the same rows in one order wait for each other, and none for ever.
  order: (keyColumns) => `ORDER BY ${Array.from({ length: keyColumns }, (_, index) => index + 1).join(", ")}`,
};
