/** The read store on D1, whose batch is one transaction. */
import type { ReadStore } from "../cqrs/read-store.ts";
import { sqliteReadStore } from "./sqlite-read-store.ts";
import type { SqliteStatement } from "./sqlite-row-changes.ts";

/** Expects the table `checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)`. */
export const d1ReadStore = (database: D1Database): ReadStore => {
  const prepare = ({ sql, params }: SqliteStatement) => database.prepare(sql).bind(...params);
  return sqliteReadStore({
    rows: async <Row>(statement: SqliteStatement) => (await prepare(statement).all<Row>()).results,
    run: async (statements) => void (await database.batch(statements.map(prepare))),
  });
};
