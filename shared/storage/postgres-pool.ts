/** Connections to a Postgres, also from Workers: there by Hyperdrive's connection string, and a pool for each request or Actor. */
import pg from "pg";

/** @param max connections at a time; each transaction of a read store takes one */
export const postgresPool = (url: string, { max = 2 }: { max?: number } = {}): pg.Pool => {
  const pool = new pg.Pool({ connectionString: url, max });
  // An idle connection that breaks is replaced with the next query; unheard, the event would end the process.
  pool.on("error", () => undefined);
  return pool;
};
