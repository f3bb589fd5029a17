/** Timeouts of one process in its Actor's SQLite: those that run, by when they are due, and those that fired, as a log. */
import type { CommitMetadata } from "../events/commit-metadata.ts";
import type { Commit, DomainEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import type { ActorSql } from "../runtime/actor.ts";
import { rfc3339 } from "../runtime/clock.ts";
import { subscriptionPlace } from "./subscription-place.ts";

export interface TimedOut extends DomainEvent {
  readonly type: "TimedOut";
  readonly data: { readonly timeout: string; readonly instance: string };
}

export interface Timeout {
  /** Unique for ever; the id of the event that it becomes. */
  readonly id: string;
  readonly timeout: string;
  readonly instance: string;
  /** Epoch milliseconds. */
  readonly dueAt: number;
}

/** What the event will carry of the commit that scheduled it. */
export interface TimeoutOrigin {
  readonly trace: Readonly<Record<string, string>>;
  readonly metadata: CommitMetadata;
}

export interface Timeouts {
  /** False when as many run already as are allowed. One that runs, or has just fired, stays as it is. */
  start(timeout: Timeout, origin: TimeoutOrigin): boolean;
  /** Nothing changes when it does not run. */
  cancel(id: string): void;
  running(): number;
  /** Does all of it, or nothing when it throws. */
  together<T>(work: () => T): T;
  /** Epoch milliseconds; undefined when none runs. */
  nextDue(): number | undefined;
  /** Moves what is due into the log, the earliest first, at most so many. */
  fire(now: number, most: number): void;
  /** Fired ones after a position, as commits. */
  fired(after: number, most: number): Commit[];
  /** Position of the newest that fired. */
  lastFired(): number;
  /** Position of the first that fired at a time or later; one more than the last when none did. */
  firstFiredAt(atMs: number): number;
  /** Forgets those that the subscription has done with. */
  prune(): void;
}

interface Row {
  [column: string]: string | number;
  position: number;
  body: string;
}

type Body = Timeout & TimeoutOrigin;

/** @param type of the aggregate in whose name they fire */
export const timeouts = (sql: ActorSql, type: string): Timeouts => {
  const floor = subscriptionPlace(sql);
  sql.exec(
    "CREATE TABLE IF NOT EXISTS timeouts (id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
  );
  sql.exec("CREATE INDEX IF NOT EXISTS timeouts_by_due ON timeouts (due_at, id)");
  sql.exec(
    "CREATE TABLE IF NOT EXISTS fired (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL)",
  );
  // Positions are never used again, whatever was pruned.
  sql.exec("CREATE TABLE IF NOT EXISTS fired_last (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER)");
  sql.exec("INSERT OR IGNORE INTO fired_last (id, position) VALUES (1, 0)");
  let running = sql.exec<{ timeouts: number }>("SELECT COUNT(*) AS timeouts FROM timeouts")[0]?.timeouts ?? 0;

  const lastFired = () => sql.exec<{ position: number }>("SELECT position FROM fired_last")[0]?.position ?? 0;
  const isKnown = (id: string) =>
    sql.exec("SELECT 1 FROM timeouts WHERE id = ? UNION ALL SELECT 1 FROM fired WHERE id = ?", id, id)
      .length > 0;

  return {
    start(timeout, { trace, metadata }) {
      if (isKnown(timeout.id)) return true;
      if (running >= LIMITS.timeoutsRunning) return false;
      const body: Body = { ...timeout, trace, metadata };
      sql.exec(
        "INSERT INTO timeouts (id, due_at, body) VALUES (?, ?, ?)",
        timeout.id,
        timeout.dueAt,
        JSON.stringify(body),
      );
      running++;
      return true;
    },
    cancel(id) {
      running -= sql.exec("DELETE FROM timeouts WHERE id = ? RETURNING 1 AS gone", id).length;
    },
    running: () => running,
    together(work) {
      const before = running;
      try {
        return sql.transaction(work);
      } catch (thrown) {
        running = before;
        throw thrown;
      }
    },
    nextDue: () =>
      sql.exec<{ due: number }>("SELECT due_at AS due FROM timeouts ORDER BY due_at, id LIMIT 1")[0]?.due,
    fire(now, most) {
      const moved = sql.transaction(() => {
        let position = lastFired();
        const due = sql.exec<{ id: string; body: string }>(
          "SELECT id, body FROM timeouts WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
          now,
          most,
        );
        for (const { id, body } of due) {
          sql.exec("DELETE FROM timeouts WHERE id = ?", id);
          sql.exec(
            "INSERT INTO fired (position, id, at, body) VALUES (?, ?, ?, ?)",
            ++position,
            id,
            now,
            body,
          );
        }
        if (due.length > 0) sql.exec("UPDATE fired_last SET position = ?", position);
        return due.length;
      });
      running -= moved;
    },
    fired: (after, most) =>
      sql
        .exec<Row>(
          "SELECT position, body FROM fired WHERE position > ? ORDER BY position LIMIT ?",
          after,
          most,
        )
        .map((row) => commitOf(type, row)),
    lastFired,
    firstFiredAt: (atMs) =>
      sql.exec<{ position: number }>(
        "SELECT position FROM fired WHERE at >= ? ORDER BY position LIMIT 1",
        atMs,
      )[0]?.position ?? lastFired() + 1,
    prune() {
      sql.exec("DELETE FROM fired WHERE position <= ?", floor.read()?.floor ?? 0);
    },
  };
};

const commitOf = (type: string, { position, body }: Row): Commit => {
  const { id, timeout, instance, dueAt, trace, metadata } = JSON.parse(body) as Body;
  const data: TimedOut["data"] = { timeout, instance };
  return {
    aggregate: { type, id: instance },
    position,
    commandId: id,
    trace,
    metadata,
    events: [{ type: "TimedOut", data, id, time: rfc3339(dueAt), version: 1 }],
  };
};
