/** Snapshots in the Actor's own SQLite: one an aggregate, a bounded number and size of them. */
import { LIMITS } from "../limits.ts";
import type { ActorSql } from "../runtime/actor.ts";

export interface SnapshotTable {
  get(aggregate: string): string | undefined;
  /** Replaces the aggregate's former one; the oldest of all make room. False for one that is too large: it is not kept. */
  put(aggregate: string, snapshot: string): boolean;
  drop(aggregate: string): void;
}

const encoder = new TextEncoder();

export const snapshotTable = (
  sql: ActorSql,
  {
    snapshotsKept = LIMITS.snapshotsKept,
    snapshotsKeptBytes = LIMITS.snapshotsKeptBytes,
    snapshotBytes = LIMITS.snapshotBytes,
  }: { snapshotsKept?: number; snapshotsKeptBytes?: number; snapshotBytes?: number } = {},
): SnapshotTable => {
  // Each is inserted anew, so that the row ids tell their age without another index.
  sql.exec(
    "CREATE TABLE IF NOT EXISTS snapshot (aggregate TEXT PRIMARY KEY, bytes INTEGER NOT NULL, body TEXT NOT NULL)",
  );
  /** Counted once, then kept along. */
  let held: { count: number; bytes: number } | undefined;
  const count = () => {
    const [row] = sql.exec<{ count: number; bytes: number }>(
      "SELECT COUNT(*) AS count, COALESCE(SUM(bytes), 0) AS bytes FROM snapshot",
    );
    return { count: row?.count ?? 0, bytes: row?.bytes ?? 0 };
  };

  const remove = (condition: string, ...params: string[]): void => {
    held ??= count();
    for (const { bytes } of sql.exec<{ bytes: number }>(
      `DELETE FROM snapshot WHERE ${condition} RETURNING bytes`,
      ...params,
    )) {
      held.count--;
      held.bytes -= bytes;
    }
  };

  return {
    get(aggregate) {
      const [row] = sql.exec<{ body: string }>("SELECT body FROM snapshot WHERE aggregate = ?", aggregate);
      return row?.body;
    },
    put(aggregate, snapshot) {
      const bytes = encoder.encode(snapshot).length;
      if (bytes > snapshotBytes) return false;
      held ??= count();
      remove("aggregate = ?", aggregate);
      sql.exec("INSERT INTO snapshot (aggregate, bytes, body) VALUES (?, ?, ?)", aggregate, bytes, snapshot);
      held.count++;
      held.bytes += bytes;
      while (held.count > snapshotsKept || held.bytes > snapshotsKeptBytes) {
        remove("rowid = (SELECT MIN(rowid) FROM snapshot)");
      }
      return true;
    },
    drop: (aggregate) => remove("aggregate = ?", aggregate),
  };
};
