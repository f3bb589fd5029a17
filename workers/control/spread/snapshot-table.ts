/** What stands in the KeyValue store, as rows: each body that was begun, and which of them its pointer names. */
import type { ActorSql } from "#shared/runtime/actor.ts";

export interface SnapshotBody {
  readonly key: readonly string[];
  /** The pointer under which it is found. */
  readonly pointer: readonly string[];
  readonly epoch: number;
}

export interface SnapshotTable {
  /** Up to this epoch everything is written. */
  writtenEpoch(): number;
  wrote(epoch: number): void;
  /** The epoch that the pointer names; 0 for none. */
  pointedEpoch(pointer: readonly string[]): number;
  /** Before the body is put: a crash must not leave one that nobody knows of. */
  begin(body: SnapshotBody): void;
  /** The pointer names this body now; those before it are superseded. */
  point(body: SnapshotBody, nowMs: number): void;
  /** When the body that was superseded first was; undefined when there is none. */
  firstSuperseded(): number | undefined;
  supersededBefore(ms: number, limit: number): readonly (readonly string[])[];
  forget(key: readonly string[]): void;
}

export const snapshotTable = (sql: ActorSql): SnapshotTable => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL)",
  );
  sql.exec("INSERT OR IGNORE INTO snapshots VALUES (1, 0)");
  sql.exec(
    `CREATE TABLE IF NOT EXISTS snapshot_bodies (
       key TEXT PRIMARY KEY, pointer TEXT NOT NULL, epoch INTEGER NOT NULL, pointed INTEGER NOT NULL,
       superseded_at INTEGER
     ) WITHOUT ROWID`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS snapshot_bodies_by_pointer ON snapshot_bodies (pointer)");
  sql.exec("CREATE INDEX IF NOT EXISTS snapshot_bodies_superseded ON snapshot_bodies (superseded_at)");
  const text = (key: readonly string[]) => JSON.stringify(key);

  return {
    writtenEpoch: () => sql.exec<{ epoch: number }>("SELECT epoch FROM snapshots")[0]?.epoch ?? 0,
    wrote: (epoch) => void sql.exec("UPDATE snapshots SET epoch = ?", epoch),
    pointedEpoch(pointer) {
      const [row] = sql.exec<{ epoch: number }>(
        "SELECT epoch FROM snapshot_bodies WHERE pointer = ? AND pointed = 1",
        text(pointer),
      );
      return row?.epoch ?? 0;
    },
    begin: ({ key, pointer, epoch }) =>
      void sql.exec(
        "INSERT OR IGNORE INTO snapshot_bodies VALUES (?, ?, ?, 0, NULL)",
        text(key),
        text(pointer),
        epoch,
      ),
    point: ({ key, pointer }, nowMs) =>
      sql.transaction(() => {
        sql.exec(
          `UPDATE snapshot_bodies SET pointed = 0, superseded_at = COALESCE(superseded_at, ?) WHERE pointer = ?`,
          nowMs,
          text(pointer),
        );
        sql.exec("UPDATE snapshot_bodies SET pointed = 1, superseded_at = NULL WHERE key = ?", text(key));
      }),
    firstSuperseded: () =>
      sql.exec<{ at: number | null }>("SELECT MIN(superseded_at) AS at FROM snapshot_bodies")[0]?.at ??
      undefined,
    supersededBefore: (ms, limit) =>
      sql
        .exec<{ key: string }>(
          "SELECT key FROM snapshot_bodies WHERE superseded_at < ? ORDER BY superseded_at LIMIT ?",
          ms,
          limit,
        )
        .map(({ key }) => JSON.parse(key) as string[]),
    forget: (key) => void sql.exec("DELETE FROM snapshot_bodies WHERE key = ?", text(key)),
  };
};
