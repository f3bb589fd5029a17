/** The read store in any SQLite that runs several statements as one transaction, though no code between them: D1, libSQL. */
import type { ReadStore } from "../cqrs/read-store.ts";
import { rowChangeStatements, type SqlStatement } from "./row-change-sql.ts";
import {
  copiesFit,
  createCopies,
  dropCopies,
  READ_SCHEMA,
  type SchemaObject,
  takeOver,
} from "./sqlite-copies.ts";
import { sqliteRows } from "./sqlite-rows.ts";

export interface SqliteDatabase {
  rows<Row>(statement: SqlStatement): Promise<Row[]>;
  /** In order, in one transaction. */
  run(statements: readonly SqlStatement[]): Promise<void>;
}

/** Expects the table `checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)`. */
export const sqliteReadStore = (database: SqliteDatabase): ReadStore => {
  /** An UPDATE of no row fails no transaction; a violated NOT NULL does. */
  const guarded = async (statements: readonly SqlStatement[]): Promise<boolean> => {
    try {
      await database.run(statements);
      return true;
    } catch (error) {
      if (isGuardViolation(error)) return false;
      throw error;
    }
  };

  return {
    async checkpoint(projection) {
      const sql = "SELECT position FROM checkpoints WHERE name = ?";
      const [row] = await database.rows<{ position: number }>({ sql, params: [projection] });
      return row?.position ?? 0;
    },
    async apply({ projection, from, to, changes }) {
      const rows = changes.flatMap((change) => rowChangeStatements(change, sqliteRows));
      return (await guarded([...moveCheckpoint(projection, from, to), ...rows])) ? "applied" : "moved";
    },
    async createCopies(of) {
      const statements = createCopies(await database.rows<SchemaObject>(READ_SCHEMA), of);
      if (statements.length > 0) await database.run(statements);
    },
    copiesFit: async (of) => copiesFit(await database.rows<SchemaObject>(READ_SCHEMA), of),
    async takeOver({ projection, copy, at, ...of }) {
      const standAt = [...moveCheckpoint(projection, at, at), ...moveCheckpoint(copy, at, at)];
      // Looked at first, too: somebody who has taken over already has left no copy to make statements for.
      if (!(await guarded(standAt))) return "moved";
      const tables = takeOver(await database.rows<SchemaObject>(READ_SCHEMA), of);
      return (await guarded([...standAt, forget(copy), ...tables])) ? "taken" : "moved";
    },
    async dropCopies({ copy, ...of }) {
      await database.run([...dropCopies(of), forget(copy)]);
    },
  };
};

const moveCheckpoint = (name: string, from: number, to: number): SqlStatement[] => [
  { sql: "INSERT OR IGNORE INTO checkpoints (name, position) VALUES (?, 0)", params: [name] },
  {
    sql: "UPDATE checkpoints SET position = CASE WHEN position = ? THEN ? ELSE NULL END WHERE name = ?",
    params: [from, to, name],
  },
];

const forget = (name: string): SqlStatement => ({
  sql: "DELETE FROM checkpoints WHERE name = ?",
  params: [name],
});

const GUARD_VIOLATION = "NOT NULL constraint failed: checkpoints.position";

const isGuardViolation = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(GUARD_VIOLATION)) return true;
  }
  return false;
};
