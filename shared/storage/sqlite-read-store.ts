/** The read store in any SQLite that runs several statements as one transaction, though no code between them: D1, libSQL. */
import type { Guard, ReadStore } from "../cqrs/read-store.ts";
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
    async apply({ projection, from, to, changes, guards }) {
      const rows = changes.flatMap((change) => rowChangeStatements(change, sqliteRows));
      const statements = [...expectAt(guards), ...moveCheckpoint(projection, from, to), ...rows];
      return (await guarded(statements)) ? "applied" : "moved";
    },
    async createCopies({ guards, ...of }) {
      const statements = createCopies(await database.rows<SchemaObject>(READ_SCHEMA), of);
      if (statements.length === 0) return "made";
      return (await guarded([...expectAt(guards), ...statements])) ? "made" : "moved";
    },
    copiesFit: async (of) => copiesFit(await database.rows<SchemaObject>(READ_SCHEMA), of),
    async takeOver({ projection, copy, at, guards = [], ...of }) {
      const standAt = expectAt([...guards, { name: projection, at }, { name: copy, at }]);
      // Looked at first, too: somebody who has taken over already has left no copy to make statements for.
      if (!(await guarded(standAt))) return "moved";
      const tables = takeOver(await database.rows<SchemaObject>(READ_SCHEMA), of);
      return (await guarded([...standAt, forget(copy), ...tables])) ? "taken" : "moved";
    },
    async dropCopies({ copy, guards, ...of }) {
      const statements = [...expectAt(guards), ...dropCopies(of), forget(copy)];
      return (await guarded(statements)) ? "dropped" : "moved";
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

/** Writes nothing where all are there; else a row that cannot be. */
const expectAt = (guards: readonly Guard[] = []): SqlStatement[] =>
  guards.length === 0 ? [] : [{ sql: EXPECT_AT, params: [JSON.stringify(guards)] }];

const EXPECT_AT = `INSERT INTO checkpoints (name, position)
  SELECT json_extract(guard.value, '$.name'), NULL FROM json_each(?) AS guard
    LEFT JOIN checkpoints AS standing ON standing.name = json_extract(guard.value, '$.name')
  WHERE coalesce(standing.position, 0) <> json_extract(guard.value, '$.at')`;

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
