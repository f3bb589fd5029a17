/** A worker that applies one more change to a Postgres with each request. */
import { postgresPool } from "#shared/storage/postgres-pool.ts";
import { postgresReadStore } from "#shared/storage/postgres-read-store.ts";

export default {
  async fetch(_request: Request, { POSTGRES }: { POSTGRES: string }): Promise<Response> {
    const pool = postgresPool(POSTGRES);
    try {
      const store = postgresReadStore(pool);
      const from = await store.checkpoint("p");
      const rows = [{ id: "a", text: `from ${from}` }];
      const changes = [{ change: "upsert" as const, table: "things", key: ["id"], rows }];
      const applied = await store.apply({ projection: "p", from, to: from + 1, changes });
      const again = await store.apply({ projection: "p", from, to: from + 1, changes });
      return Response.json([applied, again, await store.checkpoint("p")]);
    } finally {
      await pool.end();
    }
  },
};
