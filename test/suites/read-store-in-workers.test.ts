/** Postgres reached by TCP from workerd, as a worker reaches it through Hyperdrive. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import { freePort } from "#cli/ports.ts";
import { postgresPool } from "#shared/storage/postgres-pool.ts";
import { startPostgres, type TestPostgres } from "#test/setup/postgres.ts";

const started = await startPostgres({ port: await freePort() });
if ("missing" in started) console.warn(`Postgres in Workers is NOT tested here: ${started.missing}`);

describe.skipIf("missing" in started)("a worker", () => {
  const server = started as TestPostgres;
  let pool: ReturnType<typeof postgresPool>;
  let miniflare: Miniflare;
  beforeAll(async () => {
    pool = postgresPool(server.url);
    await pool.query("CREATE TABLE checkpoints (name text PRIMARY KEY, position bigint NOT NULL)");
    await pool.query("CREATE TABLE things (id text PRIMARY KEY, text text NOT NULL)");
    const bundler = await createBundler({ worker: join(import.meta.dirname, "postgres-worker.ts") });
    const { worker: contents = "" } = await bundler.build();
    await bundler.close();
    const worker = {
      name: "rows",
      modules: [{ type: "ESModule" as const, path: "index.js", contents }],
      bindings: { POSTGRES: server.url },
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["nodejs_compat"],
    };
    miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }));
  });
  afterAll(async () => {
    await miniflare?.dispose();
    await pool.end();
    await server.dispose();
  });

  it("applies each change once, request after request", async () => {
    const url = await miniflare.ready;
    for (const position of [1, 2, 3]) {
      expect(await (await fetch(url)).json()).toEqual(["applied", "moved", position]);
    }
    expect((await pool.query("SELECT * FROM things")).rows).toEqual([{ id: "a", text: "from 2" }]);
  });
});
