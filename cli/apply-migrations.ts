/** Applies a service's migrations to its D1 database, agreeing with `wrangler d1 migrations` about what was applied. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { unstable_splitSqlQuery } from "wrangler";

/** The table that `wrangler d1 migrations` keeps; the definition is wrangler's own. */
const TABLE =
  "CREATE TABLE IF NOT EXISTS d1_migrations(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";

/** The statements of one file; drizzle-kit puts a marker between them that SQL takes for a comment. */
export const statementsOf = (sql: string): string[] =>
  unstable_splitSqlQuery(sql.replaceAll("--> statement-breakpoint", ""))
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");

/** The migration files of a folder, oldest first; none when there is no folder. */
const migrationFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => name.endsWith(".sql")).sort();
};

/**
 * Each file is one transaction together with its mark, so a migration is applied whole and once.
 * @returns the names of the files applied now
 * @throws Error naming the file that failed
 */
export const applyMigrations = async (database: D1Database, folder: string): Promise<string[]> => {
  const files = await migrationFiles(folder);
  if (files.length === 0) return [];
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const pending = files.filter((name) => !applied.has(name));
  for (const name of pending) {
    const statements = statementsOf(await readFile(join(folder, name), "utf8"));
    const mark = database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    try {
      await database.batch([...statements.map((statement) => database.prepare(statement)), mark]);
    } catch (error) {
      throw new Error(`cannot apply the migration "${join(folder, name)}"`, { cause: error });
    }
  }
  return pending;
};
