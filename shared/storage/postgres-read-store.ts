/** The read store in Postgres. */
import type { Pool, PoolClient } from "pg";
import type { ReadStore } from "../cqrs/read-store.ts";
import { LIMITS } from "../limits.ts";
import { copyFits, createCopies, dropCopies, takeOver } from "./postgres-copies.ts";
import { postgresRows } from "./postgres-rows.ts";
import { rowChangeStatements } from "./row-change-sql.ts";

/** Expects the table `checkpoints (name text PRIMARY KEY, position bigint NOT NULL)`. */
export const postgresReadStore = (pool: Pool): ReadStore => {
  /** @returns false when the work said so: then nothing has changed */
  const inTransaction = async (work: (client: PoolClient) => Promise<boolean>): Promise<boolean> => {
    const client = await pool.connect();
    let broken = true;
    try {
      await client.query("BEGIN");
      const done = await work(client).catch(async (error: unknown) => {
        await client.query("ROLLBACK");
        broken = false;
        throw error;
      });
      await client.query(done ? "COMMIT" : "ROLLBACK");
      broken = false;
      return done;
    } finally {
      client.release(broken);
    }
  };

  return {
    async checkpoint(projection) {
      const { rows } = await pool.query<{ position: string }>(
        "SELECT position FROM checkpoints WHERE name = $1",
        [projection],
      );
      return Number(rows[0]?.position ?? 0);
    },

    async apply({ projection, from, to, changes }) {
      const statements = changes.flatMap((change) => rowChangeStatements(change, postgresRows));
      const applied = await againAfterDeadlock(() =>
        inTransaction(async (client) => {
          const { rowCount } = await client.query(from === 0 ? BEGIN_OR_MOVE : MOVE, [projection, from, to]);
          if (rowCount !== 1) return false;
          for (const { sql, params } of statements) await client.query(sql, [...params]);
          return true;
        }),
      );
      return applied ? "applied" : "moved";
    },

    async createCopies(of) {
      await inTransaction(async (client) => {
        for (const table of of.tables) await createCopies(client, table, of.suffix);
        return true;
      });
    },

    copiesFit: ({ tables, suffix }) =>
      inTransaction(async (client) => {
        for (const table of tables) if (!(await copyFits(client, table, suffix))) return false;
        return true;
      }),

    async takeOver({ tables, suffix, projection, copy, at, keepAs }) {
      const taken = await inTransaction(async (client) => {
        await client.query(`SET LOCAL lock_timeout = ${LIMITS.takeOverLockMs}`);
        const { rows } = await client.query<{ name: string; position: string }>(
          "SELECT name, position FROM checkpoints WHERE name IN ($1, $2) ORDER BY name FOR UPDATE",
          [projection, copy],
        );
        const positionOf = (wanted: string) =>
          Number(rows.find(({ name }) => name === wanted)?.position ?? 0);
        if (positionOf(projection) !== at || positionOf(copy) !== at) return false;
        for (const table of tables) await takeOver(client, table, suffix, keepAs);
        await client.query(FORGET, [copy]);
        return true;
      });
      return taken ? "taken" : "moved";
    },

    async dropCopies({ tables, suffix, copy }) {
      await inTransaction(async (client) => {
        for (const table of tables) await dropCopies(client, table, suffix);
        await client.query(FORGET, [copy]);
        return true;
      });
    },
  };
};

const MOVE = "UPDATE checkpoints SET position = $3 WHERE name = $1 AND position = $2";
const BEGIN_OR_MOVE = `INSERT INTO checkpoints AS standing (name, position) VALUES ($1, $3)
  ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE standing.position = $2`;
const FORGET = "DELETE FROM checkpoints WHERE name = $1";

/** `deadlock_detected`: of two shards that add to the same rows one is ended, which is nobody's fault. */
const DEADLOCK = "40P01";

const againAfterDeadlock = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== DEADLOCK || attempt === LIMITS.deadlockAttempts) throw error;
    }
  }
};
