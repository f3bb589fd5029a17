/** The read store in libSQL: a file of this machine, or a server by HTTP. */
import type { Client } from "@libsql/client";
import type { ReadStore } from "../cqrs/read-store.ts";
import type { SqlStatement } from "./row-change-sql.ts";
import { sqliteReadStore } from "./sqlite-read-store.ts";

/**
 * Expects the table `checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)`.
 * @param client of `createClient` with a `timeout`, should several processes write to one file: it waits no time by itself
 */
export const libsqlReadStore = (client: Client): ReadStore => {
  const asked = ({ sql, params }: SqlStatement) => ({ sql, args: [...params] });
  return sqliteReadStore({
    rows: async <Row>(statement: SqlStatement) => {
      const { columns, rows } = await client.execute(asked(statement));
      return rows.map(
        (row) => Object.fromEntries(columns.map((column, place) => [column, row[place]])) as Row,
      );
    },
    run: async (statements) => void (await client.batch(statements.map(asked), "write")),
  });
};
