/** The read store on D1. A D1 batch is one transaction, but an UPDATE of no row does not fail it; a violated NOT NULL does. */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import type { ReadStore } from "../cqrs/projection.ts";

/** Expects the table `checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)`. */
export const d1ReadStore = (database: D1Database): ReadStore => {
  const db = drizzle(database);
  const dialect = new SQLiteAsyncDialect();

  /** Drizzle's own batch takes queries of its builder, but fails on plain SQL with parameters. */
  const prepare = (statement: SQL): D1PreparedStatement => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    return database.prepare(text).bind(...params);
  };

  return {
    async checkpoint(projection) {
      const row = await db.get<{ position: number } | undefined>(
        sql`SELECT position FROM checkpoints WHERE name = ${projection}`,
      );
      return row?.position ?? 0;
    },
    async apply({ projection, from, to, statements }) {
      const begin = sql`INSERT OR IGNORE INTO checkpoints (name, position) VALUES (${projection}, 0)`;
      const guard = sql`UPDATE checkpoints SET position = CASE WHEN position = ${from} THEN ${to} ELSE NULL END WHERE name = ${projection}`;
      try {
        await database.batch([begin, guard, ...statements].map(prepare));
        return "applied";
      } catch (error) {
        if (isGuardViolation(error)) return "moved";
        throw error;
      }
    },
  };
};

const GUARD_VIOLATION = "NOT NULL constraint failed: checkpoints.position";

const isGuardViolation = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(GUARD_VIOLATION)) return true;
  }
  return false;
};
