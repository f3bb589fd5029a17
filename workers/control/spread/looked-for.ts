/** Which services have ever looked, under which profile: those have snapshots. */
import { LIMITS } from "#shared/limits.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { DocumentName } from "../part.ts";

export interface LookedFor {
  add(name: DocumentName): void;
  all(): readonly DocumentName[];
}

/**
 * Keeps `LIMITS.lookedForKept` of them; the oldest make room.
 * @param onAdded called for each one that was not there
 */
export const lookedFor = (sql: ActorSql, onAdded: () => void): LookedFor => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS looked_for (
       number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, profile TEXT NOT NULL, UNIQUE (service, profile)
     )`,
  );
  /** What is in the table for sure, so that a look writes nothing as a rule. */
  const known = new Set<string>();

  return {
    add({ service, profile }) {
      const key = `${service}/${profile}`;
      if (known.has(key)) return;
      known.add(key);
      const added = sql.exec(
        "INSERT OR IGNORE INTO looked_for (service, profile) VALUES (?, ?) RETURNING number",
        service,
        profile,
      );
      if (added.length === 0) return;
      onAdded();
      const evicted = sql.exec(
        `DELETE FROM looked_for WHERE number IN
           (SELECT number FROM looked_for ORDER BY number DESC LIMIT -1 OFFSET ?) RETURNING number`,
        LIMITS.lookedForKept,
      );
      if (evicted.length > 0) known.clear();
    },
    all: () => sql.exec<{ service: string; profile: string }>("SELECT service, profile FROM looked_for"),
  };
};
