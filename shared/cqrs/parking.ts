/** Where a process puts events that it could not handle: visible, with the reason, until they are replayed or dropped. */
import type { Commit } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { ActorSql } from "../runtime/actor.ts";
import { type KeyedStep, type Step, stepOf } from "./subscription-step.ts";

export interface ParkedEvent {
  /** The event's own id. */
  readonly id: string;
  readonly process: string;
  readonly source: string;
  readonly position: number;
  readonly aggregateId: string;
  /** In whose order it stands; absent where that could not be told. */
  readonly key?: string;
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

/** One event of the parking with all that is needed to handle it. */
export interface ParkedStep {
  readonly event: ParkedEvent;
  readonly step: KeyedStep;
}

export interface Parking {
  park(event: ParkedEvent, step: Step): void;
  /** In the log's order. */
  page(page: ParkedPage): ParkedEvent[];
  count(): number;
  find(id: string): ParkedStep | undefined;
  /** Whether an event of the step's key is parked that comes before it in the log. */
  blocks(step: KeyedStep): boolean;
  /** The first of a key in the log. */
  firstOf(key: string): ParkedStep | undefined;
  remove(id: string): void;
  /** Removes it if it is parked: it came again, and was handled. */
  settle(step: Step): void;
}

/** Where the key could not be told: those of no key wait for nobody. */
export const NO_KEY = "";

interface Columns {
  [column: string]: string | number;
  id: string;
  key: string;
  event: string;
  commit_json: string;
}

export const parking = (sql: ActorSql): Parking => {
  createTable(sql);
  /** Asked for every event, and nearly always without an answer. */
  const parked = new Map<string, number>();
  let newest = 0;
  let count = 0;
  const recount = () => {
    parked.clear();
    const rows = sql.exec<{ key: string; events: number; last: number }>(
      "SELECT key, COUNT(*) AS events, MAX(position) AS last FROM parked GROUP BY key",
    );
    for (const { key, events } of rows) parked.set(key, events);
    newest = rows.reduce((most, { last }) => Math.max(most, last), 0);
    count = rows.reduce((sum, { events }) => sum + events, 0);
  };
  recount();
  const keyOf = (id: string) => sql.exec<{ key: string }>("SELECT key FROM parked WHERE id = ?", id)[0]?.key;
  const remove = (id: string) => {
    const key = keyOf(id);
    if (key === undefined) return;
    sql.exec("DELETE FROM parked WHERE id = ?", id);
    count--;
    const left = (parked.get(key) ?? 1) - 1;
    if (left > 0) parked.set(key, left);
    else parked.delete(key);
  };

  return {
    park(event, { commit, part, key = NO_KEY }) {
      const isNew = keyOf(event.id) === undefined;
      sql.exec(
        "INSERT OR REPLACE INTO parked (id, position, part, key, event, commit_json) VALUES (?, ?, ?, ?, ?, ?)",
        event.id,
        event.position,
        part,
        key,
        JSON.stringify(event),
        JSON.stringify(commit),
      );
      if (isNew) {
        count++;
        parked.set(key, (parked.get(key) ?? 0) + 1);
      }
      newest = Math.max(newest, event.position);
    },
    page: ({ limit, after = { position: 0, id: "" } }) =>
      sql
        .exec<{ event: string }>(
          // Ids of one commit's events end with their places in it, so the shorter one comes first.
          `SELECT event FROM parked WHERE position >= ? AND (position, length(id), id) > (?, length(?), ?)
           ORDER BY position, length(id), id LIMIT ?`,
          after.position,
          after.position,
          after.id,
          after.id,
          limit,
        )
        .map(({ event }) => JSON.parse(event) as ParkedEvent),
    count: () => count,
    find(id) {
      const [row] = sql.exec<Columns>("SELECT id, key, event, commit_json FROM parked WHERE id = ?", id);
      return row && parkedFrom(row);
    },
    blocks: ({ key, commit: { position }, part }) =>
      parked.has(key) &&
      sql.exec(
        "SELECT 1 FROM parked WHERE key = ? AND (position, part) < (?, ?) LIMIT 1",
        key,
        position,
        part,
      ).length > 0,
    firstOf(key) {
      if (!parked.has(key)) return undefined;
      const [row] = sql.exec<Columns>(
        "SELECT id, key, event, commit_json FROM parked WHERE key = ? ORDER BY position, part LIMIT 1",
        key,
      );
      return row && parkedFrom(row);
    },
    remove,
    settle({ commit, event }) {
      if (parked.size > 0 && commit.position <= newest) remove(event.id);
    },
  };
};

const parkedFrom = ({ id, key, event, commit_json }: Columns): ParkedStep => ({
  event: JSON.parse(event) as ParkedEvent,
  step: stepOf(JSON.parse(commit_json) as Commit, id, key),
});

const createTable = (sql: ActorSql): void => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS parked (
      id TEXT PRIMARY KEY, position INTEGER NOT NULL, event TEXT NOT NULL, commit_json TEXT NOT NULL
    ) WITHOUT ROWID`,
  );
  const [table] = sql.exec<{ sql: string }>("SELECT sql FROM sqlite_master WHERE name = 'parked'");
  // Before there were keys, the aggregate's id was the only one.
  if (!table?.sql.includes("key TEXT")) {
    sql.exec("ALTER TABLE parked ADD COLUMN key TEXT NOT NULL DEFAULT ''");
    sql.exec("ALTER TABLE parked ADD COLUMN part INTEGER NOT NULL DEFAULT 0");
    sql.exec("UPDATE parked SET key = json_extract(event, '$.aggregateId')");
  }
  sql.exec("CREATE INDEX IF NOT EXISTS parked_in_order ON parked (position, id)");
  sql.exec("CREATE INDEX IF NOT EXISTS parked_by_key ON parked (key, position, part)");
};
