/** The stores that read models are measured in: each with the orders' tables, and with its driver for writing row by row. */
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { createBundler } from "#cli/bundle-workers.ts";
import { ROOT } from "#cli/workers.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import { libsqlReadStore } from "#shared/storage/libsql-read-store.ts";
import { postgresPool } from "#shared/storage/postgres-pool.ts";
import { postgresReadStore } from "#shared/storage/postgres-read-store.ts";
import { startPostgres } from "#test/setup/postgres.ts";
import { temporaryFolder } from "#test/setup/temporary-folder.ts";
import { ordersTables, ordersTablesInPostgres } from "./orders-tables.ts";
import {
  type BareStatement,
  orderCommits,
  type RunBare,
  rebuildOrders,
  writeRowByRow,
} from "./read-store-work.ts";

/** Both make the commits first, and give back the work that is measured. */
export interface BenchStore {
  readonly name: string;
  rebuild(commits: number): Promise<() => Promise<void>>;
  writeRowByRow(commits: number): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** D1 as Miniflare runs it, libSQL in a file, and Postgres where the machine has one. */
export const startStores = async (): Promise<BenchStore[]> => {
  const stores = [await d1(), await libsql()];
  const relational = await postgres();
  return relational ? [...stores, relational] : stores;
};

const bare = (statements: readonly string[]): BareStatement[] =>
  statements.map((sql) => ({ sql, params: [] }));

/** In this process, by its own driver. */
const local = (store: ReadStore, run: RunBare): Pick<BenchStore, "rebuild" | "writeRowByRow"> => ({
  async rebuild(count) {
    const commits = orderCommits(count);
    return () => rebuildOrders(store, commits);
  },
  async writeRowByRow(count) {
    const commits = orderCommits(count);
    return () => writeRowByRow(run, commits);
  },
});

const d1 = async (): Promise<BenchStore> => {
  const name = "d1-read-store";
  const bundler = await createBundler({ [name]: join(import.meta.dirname, "workers", `${name}.ts`) });
  const built = await bundler.build();
  await bundler.close();
  const worker = {
    name,
    modules: [{ type: "ESModule" as const, path: "index.js", contents: built[name] ?? "" }],
    d1Databases: { DB: "db" },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }));
  await applyMigrations((await miniflare.getD1Database("DB")) as never, join(ROOT, "migrations/orders"));
  const url = await miniflare.unsafeGetDirectURL(name);
  const ask = async (path: string) => {
    const answer = await fetch(new URL(path, url));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Asking "${path}": answered ${answer.status} ${text}, expected 200`);
  };
  const prepared = async (path: string, commits: number) => {
    await ask(`/prepare?commits=${commits}`);
    return () => ask(path);
  };
  return {
    name: "D1",
    rebuild: (commits) => prepared("/rebuild", commits),
    writeRowByRow: (commits) => prepared("/row-by-row", commits),
    close: () => miniflare.dispose(),
  };
};

const libsql = async (): Promise<BenchStore> => {
  const folder = await temporaryFolder("bench-libsql");
  const client = createClient({ url: `file:${join(folder.path, "rows.db")}` });
  await client.execute("PRAGMA journal_mode = WAL");
  const run: RunBare = async (statements) =>
    void (await client.batch(
      statements.map(({ sql, params }) => ({ sql, args: [...params] })),
      "write",
    ));
  await run(bare(await ordersTables()));
  const close = async () => {
    client.close();
    await folder.remove();
  };
  return { name: "libSQL", ...local(libsqlReadStore(client), run), close };
};

const postgres = async (): Promise<BenchStore | undefined> => {
  const server = await startPostgres();
  if ("missing" in server) return undefined;
  const pool = postgresPool(server.url);
  const run: RunBare = async (statements) => {
    const client = await pool.connect();
    await client.query("BEGIN");
    for (const { sql, params } of statements) {
      let place = 0;
      await client.query(
        sql.replace(/\?/g, () => `$${++place}`),
        [...params],
      );
    }
    await client.query("COMMIT");
    client.release();
  };
  await run(bare(await ordersTablesInPostgres()));
  const close = async () => {
    await pool.end();
    await server.dispose();
  };
  return { name: "Postgres", ...local(postgresReadStore(pool), run), close };
};
