/**
 * Events that failed and are to be tried again, and those of the same key behind them, in the Actor's SQLite: outside of what
 * a process has in hand, so that however many they are, none holds up another key.
 */
import type { Commit } from "../events/event.ts";
import type { ActorSql } from "../runtime/actor.ts";
import { type KeyedStep, stepOf, type Tries } from "./subscription-step.ts";

export interface WaitingHead extends Tries {
  readonly id: string;
}

export interface FailedTries extends Tries {
  /** Whether the last refusal was `unavailable`. */
  readonly unavailable: boolean;
}

export interface WaitingEvents {
  /** Whether an event of this key waits: then later ones have to wait behind it. */
  has(key: string): boolean;
  keys(): string[];
  /** Events. */
  count(): number;
  /** Keys whose first was refused as `unavailable`. */
  unavailable(): number;
  /** Nothing changes when the event waits already. @param tries absent for one that waits behind others */
  add(step: KeyedStep, tries?: FailedTries): void;
  /** The key's first, which is tried next. */
  head(key: string): WaitingHead | undefined;
  /** @throws Error when it does not wait any more */
  step(key: string, id: string): KeyedStep;
  failed(key: string, id: string, tries: FailedTries): void;
  remove(key: string, id: string): void;
  /** RFC 3339 time of the oldest in the log. */
  oldest(): string | undefined;
}

const NONE: Tries = { attempts: 0, counted: 0, notBefore: 0 };

interface HeadRow {
  [column: string]: string | number;
  id: string;
  attempts: number;
  counted: number;
  notBefore: number;
}

export const waitingEvents = (sql: ActorSql): WaitingEvents => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS waiting (
      id TEXT PRIMARY KEY, key TEXT NOT NULL, position INTEGER NOT NULL, part INTEGER NOT NULL, commit_json TEXT NOT NULL,
      attempts INTEGER NOT NULL, counted INTEGER NOT NULL, not_before INTEGER NOT NULL
    ) WITHOUT ROWID`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS waiting_by_key ON waiting (key, position, part)");
  sql.exec("CREATE INDEX IF NOT EXISTS waiting_in_order ON waiting (position)");
  /** Events by key; asked for every event, and nearly always empty. */
  const waiting = new Map(
    sql
      .exec<{ key: string; events: number }>("SELECT key, COUNT(*) AS events FROM waiting GROUP BY key")
      .map(({ key, events }) => [key, events]),
  );
  let count = [...waiting.values()].reduce((sum, events) => sum + events, 0);
  const unavailable = new Set<string>();

  const changed = (key: string, by: number) => {
    const events = (waiting.get(key) ?? 0) + by;
    count += by;
    if (events > 0) waiting.set(key, events);
    else waiting.delete(key);
    if (events <= 0) unavailable.delete(key);
  };
  const noteReason = (key: string, isUnavailable: boolean) => {
    if (isUnavailable) unavailable.add(key);
    else unavailable.delete(key);
  };

  return {
    has: (key) => waiting.has(key),
    keys: () => [...waiting.keys()],
    count: () => count,
    unavailable: () => unavailable.size,
    add({ commit, event, part, key }, tries) {
      const { attempts, counted, notBefore } = tries ?? NONE;
      const added = sql.exec(
        `INSERT OR IGNORE INTO waiting (id, key, position, part, commit_json, attempts, counted, not_before)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING 1 AS added`,
        event.id,
        key,
        commit.position,
        part,
        JSON.stringify(commit),
        attempts,
        counted,
        notBefore,
      );
      if (added.length > 0) changed(key, 1);
      if (tries) noteReason(key, tries.unavailable);
    },
    head: (key) =>
      sql.exec<HeadRow>(
        `SELECT id, attempts, counted, not_before AS notBefore FROM waiting
         WHERE key = ? ORDER BY position, part LIMIT 1`,
        key,
      )[0],
    step(key, id) {
      const [row] = sql.exec<{ commit_json: string }>("SELECT commit_json FROM waiting WHERE id = ?", id);
      if (!row) throw new Error(`Cannot handle "${id}": it does not wait any more`);
      return stepOf(JSON.parse(row.commit_json) as Commit, id, key);
    },
    failed(key, id, { attempts, counted, notBefore, unavailable: isUnavailable }) {
      sql.exec(
        "UPDATE waiting SET attempts = ?, counted = ?, not_before = ? WHERE id = ?",
        attempts,
        counted,
        notBefore,
        id,
      );
      noteReason(key, isUnavailable);
    },
    remove(key, id) {
      sql.exec("DELETE FROM waiting WHERE id = ?", id);
      changed(key, -1);
    },
    oldest: () =>
      sql.exec<{ time: string | null }>(
        "SELECT json_extract(commit_json, '$.events[0].time') AS time FROM waiting ORDER BY position LIMIT 1",
      )[0]?.time ?? undefined,
  };
};
