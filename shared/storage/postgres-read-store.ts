/** The read store in Postgres. */
import type { Pool, PoolClient } from "pg";
import type { Guard, ReadStore } from "../cqrs/read-store.ts";
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

    async apply({ projection, from, to, changes, guards }) {
      const statements = changes.flatMap((change) => rowChangeStatements(change, postgresRows));
      const applied = await againAfterDeadlock(() =>
        inTransaction(async (client) => {
          if (!(await areAt(client, guards))) return false;
          const { rowCount } = await client.query(from === 0 ? BEGIN_OR_MOVE : MOVE, [projection, from, to]);
          if (rowCount !== 1) return false;
          for (const { sql, params } of statements) await client.query(sql, [...params]);
          return true;
        }),
      );
      return applied ? "applied" : "moved";
    },

    async createCopies({ tables, suffix, guards }) {
      const made = await inTransaction(async (client) => {
        if (!(await areAt(client, guards))) return false;
        for (const table of tables) await createCopies(client, table, suffix);
        return true;
      });
      return made ? "made" : "moved";
    },

    copiesFit: ({ tables, suffix }) =>
      inTransaction(async (client) => {
        for (const table of tables) if (!(await copyFits(client, table, suffix))) return false;
        return true;
      }),

    async takeOver({ tables, suffix, projection, copy, at, keepAs, guards = [] }) {
      const taken = await inTransaction(async (client) => {
        await client.query(`SET LOCAL lock_timeout = ${LIMITS.takeOverLockMs}`);
        const standAt = [...guards, { name: projection, at }, { name: copy, at }];
        if (!(await areAt(client, standAt, "FOR UPDATE"))) return false;
        for (const table of tables) await takeOver(client, table, suffix, keepAs);
        await client.query(FORGET, [copy]);
        return true;
      });
      return taken ? "taken" : "moved";
    },

    async dropCopies({ tables, suffix, copy, guards }) {
      const dropped = await inTransaction(async (client) => {
        if (!(await areAt(client, guards))) return false;
        for (const table of tables) await dropCopies(client, table, suffix);
        await client.query(FORGET, [copy]);
        return true;
      });
      return dropped ? "dropped" : "moved";
    },
  };
};

/** Locks those that were ever written: until the transaction ends, nobody moves them. */
const areAt = async (
  client: PoolClient,
  guards: readonly Guard[] = [],
  lock: "FOR SHARE" | "FOR UPDATE" = "FOR SHARE",
): Promise<boolean> => {
  if (guards.length === 0) return true;
  const { rows } = await client.query<{ name: string; position: string }>(
    `SELECT name, position FROM checkpoints WHERE name = ANY ($1::text[]) ORDER BY name ${lock}`,
    [guards.map(({ name }) => name)],
  );
  const positions = new Map(rows.map(({ name, position }) => [name, Number(position)]));
  return guards.every(({ name, at }) => (positions.get(name) ?? 0) === at);
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
