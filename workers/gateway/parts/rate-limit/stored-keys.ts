/** The keys of an Actor's limits in its SQLite, until they are rested. */
import { LIMITS } from "#shared/limits.ts";
import type { RateMemory } from "#shared/resilience/rate-limit.ts";
import type { ActorContext } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";

export interface StoredKeys {
  /** The part of one limit, by its settings. */
  of(policy: string): RateMemory;
  /** Resolves once it is sure that what was kept will be removed, too. */
  armed(): Promise<void>;
  /** Removes who is rested; to be called by the Actor's alarm. */
  sweep(): Promise<void>;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS spent (
    policy TEXT NOT NULL, key TEXT NOT NULL, rested_at INTEGER NOT NULL, PRIMARY KEY (policy, key)
  ) WITHOUT ROWID`;
const INDEX = "CREATE INDEX IF NOT EXISTS spent_rested_at ON spent (rested_at)";

/** An Actor whose keys are all in memory writes nothing at all, and stores nothing when it ends. */
export const storedKeys = ({ sql, alarm }: ActorContext, clock: Clock): StoredKeys => {
  let open = false;
  let arm: "needed" | "none" | "set" = "none";
  const table = () => {
    if (open) return;
    sql.exec(SCHEMA);
    sql.exec(INDEX);
    open = true;
  };
  return {
    of: (policy) => ({
      recall(key) {
        table();
        const [row] = sql.exec<{ rested_at: number }>(
          "SELECT rested_at FROM spent WHERE policy = ? AND key = ?",
          policy,
          key,
        );
        return row ? Math.max(0, row.rested_at - clock()) : 0;
      },
      keep(key, restedInMs) {
        table();
        sql.exec("INSERT OR REPLACE INTO spent VALUES (?, ?, ?)", policy, key, clock() + restedInMs);
        if (arm === "none") arm = "needed";
      },
    }),
    async armed() {
      if (arm !== "needed") return;
      await alarm.set(clock() + LIMITS.rateLimitSweepMs);
      arm = "set";
    },
    async sweep() {
      table();
      sql.exec("DELETE FROM spent WHERE rested_at <= ?", clock());
      sql.exec(
        `DELETE FROM spent WHERE (policy, key) IN (
           SELECT policy, key FROM spent ORDER BY rested_at
           LIMIT max(0, (SELECT count(*) FROM spent) - ${LIMITS.rateLimitStoredKeys}))`,
      );
      const [next] = sql.exec<{ at: number | null }>("SELECT min(rested_at) AS at FROM spent");
      const at = next?.at ?? undefined;
      arm = at === undefined ? "none" : "set";
      if (at !== undefined) await alarm.set(Math.max(at, clock() + LIMITS.rateLimitSweepMs));
    },
  };
};
