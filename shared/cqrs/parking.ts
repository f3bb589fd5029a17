/** Where a process puts events that it could not handle: visible, with the reason, until they are replayed. */
import type { Commit } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { ActorSql } from "../runtime/actor.ts";

export interface ParkedEvent {
  /** The event's own id. */
  readonly id: string;
  readonly process: string;
  readonly source: string;
  readonly position: number;
  readonly aggregateId: string;
  readonly type: string;
  readonly reason: Failure;
  readonly attempts: number;
  /** RFC 3339 UTC. */
  readonly parkedAt: string;
  readonly traceparent?: string;
}

export interface ParkedPage {
  readonly limit: number;
  /** The last event of the page before. */
  readonly after?: { readonly position: number; readonly id: string } | undefined;
}

export interface Parking {
  park(event: ParkedEvent, commit: Commit): void;
  /** In the log's order. */
  page(page: ParkedPage): ParkedEvent[];
  count(): number;
  holds(id: string): boolean;
  find(id: string): { event: ParkedEvent; commit: Commit } | undefined;
  remove(id: string): void;
}

export const parking = (sql: ActorSql): Parking => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS parked (
      id TEXT PRIMARY KEY, position INTEGER NOT NULL, event TEXT NOT NULL, commit_json TEXT NOT NULL
    ) WITHOUT ROWID`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS parked_in_order ON parked (position, id)");
  return {
    park: (event, commit) =>
      void sql.exec(
        "INSERT OR REPLACE INTO parked (id, position, event, commit_json) VALUES (?, ?, ?, ?)",
        event.id,
        event.position,
        JSON.stringify(event),
        JSON.stringify(commit),
      ),
    page: ({ limit, after = { position: 0, id: "" } }) =>
      sql
        .exec<{ event: string }>(
          "SELECT event FROM parked WHERE (position, id) > (?, ?) ORDER BY position, id LIMIT ?",
          after.position,
          after.id,
          limit,
        )
        .map(({ event }) => JSON.parse(event) as ParkedEvent),
    count: () => sql.exec<{ events: number }>("SELECT COUNT(*) AS events FROM parked")[0]?.events ?? 0,
    holds: (id) => sql.exec("SELECT 1 FROM parked WHERE id = ?", id).length > 0,
    find(id) {
      const [row] = sql.exec<{ event: string; commit_json: string }>(
        "SELECT event, commit_json FROM parked WHERE id = ?",
        id,
      );
      return (
        row && {
          event: JSON.parse(row.event) as ParkedEvent,
          commit: JSON.parse(row.commit_json) as Commit,
        }
      );
    },
    remove: (id) => void sql.exec("DELETE FROM parked WHERE id = ?", id),
  };
};
