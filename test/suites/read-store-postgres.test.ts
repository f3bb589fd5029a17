/** The read store suite: Postgres. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { postgresPool } from "#shared/storage/postgres-pool.ts";
import { postgresReadStore } from "#shared/storage/postgres-read-store.ts";
import { startPostgres, type TestPostgres } from "#test/setup/postgres.ts";
import { tablesOf, testReadStore } from "./read-store.ts";

const started = await startPostgres();
if ("missing" in started) console.warn(`The read store on Postgres is NOT tested here: ${started.missing}`);

describe.skipIf("missing" in started)("a real server", () => {
  const server = started as TestPostgres;
  const types = { integer: "bigint", real: "double precision", flag: "boolean", json: "jsonb" };
  let pool: ReturnType<typeof postgresPool>;
  beforeAll(() => {
    pool = postgresPool(server.url, { max: 16 });
  });
  afterAll(async () => {
    await pool.end();
    await server.dispose();
  });

  const run = async (...statements: string[]) => {
    for (const statement of statements) await pool.query(statement);
  };
  const rows = async (query: string) => (await pool.query<Record<string, unknown>>(query)).rows;
  const create = async () => {
    await run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", ...tablesOf(types));
    return { store: postgresReadStore(pool), rows, run };
  };

  testReadStore("Postgres", {
    types,
    readFlag: (value) => value as boolean | null,
    readJson: (value) => value,
    async names() {
      const all = await rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND relname NOT LIKE '%_pkey%'",
      );
      return all.map(({ relname }) => String(relname)).sort();
    },
    create,
  });

  describe("of Postgres alone", () => {
    const copies = { tables: ["things"], suffix: "v2", copy: "p@v2" };
    beforeEach(async () => {
      await create();
    });

    it("gives the copy what may be done to the table by whom", async () => {
      await run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader", "GRANT SELECT ON things TO reader");
      const store = postgresReadStore(pool);
      await store.createCopies(copies);
      expect(await store.takeOver({ ...copies, projection: "p", at: 0 })).toBe("taken");
      expect(await rows("SELECT has_table_privilege('reader', 'things', 'SELECT') AS may")).toEqual([
        { may: true },
      ]);
      await run("DROP OWNED BY reader", "DROP ROLE reader");
    });

    it("keeps indexes apart whose names are as long as they may be, and one that came later", async () => {
      const long = (letter: string) => `${"x".repeat(62)}${letter}`;
      await run(
        `CREATE INDEX ${long("a")} ON things (text)`,
        `CREATE INDEX ${long("b")} ON things (text, id)`,
      );
      const store = postgresReadStore(pool);
      await store.createCopies(copies);
      await run("CREATE INDEX late ON things (text DESC)");
      await store.takeOver({ ...copies, projection: "p", at: 0, keepAs: "old" });
      const names = await rows("SELECT indexname FROM pg_indexes WHERE tablename = 'things' ORDER BY 1");
      expect(names.map(({ indexname }) => indexname)).toEqual(["late", "things_pkey", long("a"), long("b")]);
    });

    it("does not wait for ever behind one who reads for long, and then changes nothing", async () => {
      const store = postgresReadStore(pool);
      await store.createCopies(copies);
      const reader = await pool.connect();
      await reader.query("BEGIN");
      await reader.query("SELECT * FROM things");
      await expect(store.takeOver({ ...copies, projection: "p", at: 0 })).rejects.toThrow("lock timeout");
      await reader.query("ROLLBACK");
      reader.release();
      expect(await store.takeOver({ ...copies, projection: "p", at: 0 })).toBe("taken");
    });

    it("lets nobody move a guard while a transaction that it guards is under way", async () => {
      const store = postgresReadStore(pool);
      const waiting = async () => {
        const [found] = await rows(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        );
        return found?.n;
      };
      await store.apply({ projection: "fence", from: 0, to: 1, changes: [] });
      const holder = await pool.connect();
      await holder.query("BEGIN");
      await holder.query("LOCK TABLE things IN ACCESS EXCLUSIVE MODE");
      const change = {
        change: "upsert" as const,
        table: "things",
        key: ["id"],
        rows: [{ id: "a", text: "" }],
      };
      const guards = [{ name: "fence", at: 1 }];
      const guarded = store.apply({ projection: "p", from: 0, to: 1, changes: [change], guards });
      let moving: Promise<string> | undefined;
      try {
        await expect.poll(waiting, { interval: 5, timeout: 5_000 }).toBe(1);
        moving = store.apply({ projection: "fence", from: 1, to: 2, changes: [] });
        // Behind the guarded one, which waits for the holder.
        await expect.poll(waiting, { interval: 5, timeout: 5_000 }).toBe(2);
      } finally {
        await holder.query("ROLLBACK");
        holder.release();
      }
      expect(await Promise.all([guarded, moving])).toEqual(["applied", "applied"]);
    });

    it("applies all of what two add to the same rows in opposite order", async () => {
      const store = postgresReadStore(pool);
      const sums = (ids: readonly string[]) => ({
        change: "add" as const,
        table: "sums",
        key: ["id"],
        rows: ids.map((id) => ({ id, count: 1 })),
      });
      const ids = Array.from({ length: 300 }, (_, n) => `${n}`);
      const rounds = Array.from({ length: 10 }, (_, round) => round);
      const shard = async (name: string, order: readonly string[]) => {
        for (const round of rounds) {
          const changes = [sums(order.slice(0, 150)), sums(order.slice(150))];
          await store.apply({ projection: name, from: round, to: round + 1, changes });
        }
      };
      await Promise.all([shard("p#0", ids), shard("p#1", ids.toReversed()), shard("p#2", ids)]);
      expect(await rows("SELECT DISTINCT count::int FROM sums")).toEqual([{ count: 30 }]);
    });
  });
});
