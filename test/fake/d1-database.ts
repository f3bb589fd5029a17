/** A D1 database of its own for one test file, with a service's migrations: the real thing, run by miniflare. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { ROOT } from "#cli/workers.ts";

export interface TestDatabase {
  readonly database: D1Database;
  /** Empties every table of the service. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** @param service whose folder of `migrations/` is applied */
export const startD1Database = async (service: string): Promise<TestDatabase> => {
  const worker = {
    name: "rows",
    modules: true as const,
    script: "export default {}",
    d1Databases: { DB: "db" },
    compatibilityDate: "2026-10-01",
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }));
  const database = await miniflare.getD1Database("DB");
  await applyMigrations(database as never, join(ROOT, "migrations", service));
  const { results } = await database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '*_*migrations*' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
    )
    .all<{ name: string }>();
  return {
    database: database as unknown as D1Database,
    async clear() {
      await database.batch(results.map(({ name }) => database.prepare(`DELETE FROM "${name}"`)));
    },
    close: () => miniflare.dispose(),
  };
};
