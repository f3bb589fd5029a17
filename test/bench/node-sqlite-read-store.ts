/** A read store in a SQLite file of this process, by Node's own driver: what a database costs without a server before it. */
import type { DatabaseSync } from "node:sqlite";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import { sqliteReadStore } from "#shared/storage/sqlite-read-store.ts";

/** Expects the tables of a service's migrations. */
export const nodeSqliteReadStore = (database: DatabaseSync): ReadStore =>
  sqliteReadStore({
    rows: async <Row>({ sql, params }: { sql: string; params: readonly (string | number | null)[] }) =>
      database.prepare(sql).all(...params) as Row[],
    async run(statements) {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const { sql, params } of statements) database.prepare(sql).run(...params);
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  });
