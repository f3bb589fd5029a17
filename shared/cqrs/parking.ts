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

export interface Parking {
  park(event: ParkedEvent, commit: Commit): void;
  list(): ParkedEvent[];
  find(id: string): { event: ParkedEvent; commit: Commit } | undefined;
  remove(id: string): void;
}

const LISTED_MAX = 100;

export const parking = (sql: ActorSql): Parking => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS parked (
      id TEXT PRIMARY KEY, position INTEGER NOT NULL, event TEXT NOT NULL, commit_json TEXT NOT NULL
    ) WITHOUT ROWID`,
  );
  return {
    park: (event, commit) =>
      void sql.exec(
        "INSERT OR REPLACE INTO parked (id, position, event, commit_json) VALUES (?, ?, ?, ?)",
        event.id,
        event.position,
        JSON.stringify(event),
        JSON.stringify(commit),
      ),
    list: () =>
      sql
        .exec<{ event: string }>("SELECT event FROM parked ORDER BY position LIMIT ?", LISTED_MAX)
        .map(({ event }) => JSON.parse(event) as ParkedEvent),
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
