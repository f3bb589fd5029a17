/** The read store on D1, whose batch is one transaction. */
import type { ReadStore } from "../cqrs/read-store.ts";
import type { SqlStatement } from "./row-change-sql.ts";
import { sqliteReadStore } from "./sqlite-read-store.ts";

/** Expects the table `checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)`. */
export const d1ReadStore = (database: D1Database): ReadStore => {
  const prepare = ({ sql, params }: SqlStatement) => database.prepare(sql).bind(...params);
  return sqliteReadStore({
    rows: async <Row>(statement: SqlStatement) => (await prepare(statement).all<Row>()).results,
    run: async (statements) => void (await database.batch(statements.map(prepare))),
  });
};
