/** An Actor's SQLite on Node's own driver. */
import type { DatabaseSync } from "node:sqlite";
import type { ActorSql, SqlRow, SqlValue } from "./actor.ts";

export const nodeSql = (database: DatabaseSync): ActorSql => ({
  exec<Row extends SqlRow = SqlRow>(statement: string, ...params: SqlValue[]) {
    return database
      .prepare(statement)
      .all(...params.map(toNode))
      .map(fromNode) as Row[];
  },
  transaction(work) {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  },
});

const toNode = (value: SqlValue) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value);

/** Node gives rows without a prototype and blobs as views; the port promises plain records and buffers. */
const fromNode = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? new Uint8Array(value).buffer : value,
    ]),
  );
