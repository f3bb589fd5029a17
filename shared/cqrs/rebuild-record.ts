/** What a projection's Actor remembers of its last rebuild: what was asked for, and how it stands. */
import type { ActorSql } from "../runtime/actor.ts";

/** - `cancelling`: its copies go; - `done`, `cancelled`: nothing is left to do */
export type RebuildPhase = "preparing" | "filling" | "taking over" | "cancelling" | "done" | "cancelled";

export interface Rebuild {
  readonly id: string;
  /** What it builds. */
  readonly version: number;
  readonly build: number;
  readonly phase: RebuildPhase;
  /** Whether the old tables stay, as `<table>__old`. */
  readonly keep: boolean;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  readonly endedAt?: string;
}

export const isUnderWay = ({ phase }: Rebuild): boolean => phase !== "done" && phase !== "cancelled";

export interface RebuildRecord {
  last(): Rebuild | undefined;
  save(rebuild: Rebuild): void;
  /** What this Actor had counted the fence up to when it held it last; 0 when it never did. */
  fence(): number;
  saveFence(epoch: number): void;
}

export const rebuildRecord = (sql: ActorSql): RebuildRecord => {
  sql.exec("CREATE TABLE IF NOT EXISTS rebuild (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)");
  sql.exec(
    "CREATE TABLE IF NOT EXISTS rebuild_fence (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL)",
  );
  return {
    fence: () => sql.exec<{ epoch: number }>("SELECT epoch FROM rebuild_fence")[0]?.epoch ?? 0,
    saveFence: (epoch) =>
      void sql.exec("INSERT OR REPLACE INTO rebuild_fence (id, epoch) VALUES (1, ?)", epoch),
    last() {
      const [row] = sql.exec<{ state: string }>("SELECT state FROM rebuild");
      return row && (JSON.parse(row.state) as Rebuild);
    },
    save: (rebuild) =>
      void sql.exec("INSERT OR REPLACE INTO rebuild (id, state) VALUES (1, ?)", JSON.stringify(rebuild)),
  };
};
