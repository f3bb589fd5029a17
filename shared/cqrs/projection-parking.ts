/** Commits that a projection could not apply, and those of the same aggregate behind them, in its Actor's SQLite. */
import type { Commit } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { ActorSql } from "../runtime/actor.ts";
import type { ParkedEvent, ParkedPage } from "./parking.ts";
import type { ParkedDetails } from "./process-actor.ts";

/** A parked commit, told by its first event. */
export interface ParkedCommit extends ParkedEvent {
  readonly projection: string;
}

export interface Parked {
  readonly event: ParkedCommit;
  readonly commit: Commit;
}

/** `standing`: what the read model that is read lacks; `copy`: what the one that is being filled lacks. */
export type ParkedOf = "standing" | "copy";

export interface ProjectionParking {
  park(parked: Parked): void;
  /** Whether this one or an earlier of its aggregate is parked: those before it come as ever, as after a backup was restored. */
  blocks(commit: Commit): boolean;
  /** In the log's order. */
  page(page: ParkedPage): ParkedCommit[];
  count(): number;
  find(id: string): Parked | undefined;
  /** What an operator is shown of one. */
  details(id: string): ParkedDetails | undefined;
  /** The first of the aggregate that `commit` is of. */
  firstOf(commit: Commit): Parked | undefined;
  /** Where the last of that aggregate stands in the log. */
  lastPositionOf(commit: Commit): number | undefined;
  remove(id: string): void;
  all(): Parked[];
  /** In the place of all that are parked. */
  replace(parked: readonly Parked[]): void;
  /** Notes by which number the read store will show that a commit was replayed. */
  replays(id: string, mark: number): void;
  /** Removes what was replayed by this mark, if it is still here. */
  settle(mark: number): void;
}

/** A commit that waits behind a parked one; replayed with it. */
export const PARKED_BEHIND = "parked_behind";

export const parkedBehind = (first: ParkedCommit): Failure => ({
  code: PARKED_BEHIND,
  detail: `Waits behind "${first.id}", which is parked and of the same aggregate`,
});

interface Columns {
  [column: string]: string;
  event: string;
  commit_json: string;
}

export const projectionParking = (sql: ActorSql, of: ParkedOf): ProjectionParking => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS parked_commits (
      of TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, aggregate TEXT NOT NULL, event TEXT NOT NULL,
      commit_json TEXT NOT NULL, replay INTEGER, PRIMARY KEY (of, position)
    ) WITHOUT ROWID`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS parked_by_aggregate ON parked_commits (of, aggregate, position)");
  sql.exec("CREATE UNIQUE INDEX IF NOT EXISTS parked_by_id ON parked_commits (of, id)");
  const select = (rest: string, ...params: (string | number)[]) =>
    sql
      .exec<Columns>(`SELECT event, commit_json FROM parked_commits WHERE of = ? ${rest}`, of, ...params)
      .map(parkedFrom);
  const count = () =>
    sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM parked_commits WHERE of = ?", of)[0]?.n ?? 0;
  const insert = ({ event, commit }: Parked) =>
    void sql.exec(
      `INSERT INTO parked_commits (of, position, id, aggregate, event, commit_json) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (of, position) DO UPDATE SET event = excluded.event`,
      of,
      event.position,
      event.id,
      aggregateOf(commit),
      JSON.stringify(event),
      JSON.stringify(commit),
    );
  const find = (id: string) => select("AND id = ?", id)[0];
  /** Asked for every commit, and nearly always 0. */
  let parked = count();
  const firstOf = (commit: Commit) =>
    parked === 0 ? undefined : select("AND aggregate = ? ORDER BY position LIMIT 1", aggregateOf(commit))[0];

  return {
    park(entry) {
      insert(entry);
      parked = count();
    },
    blocks: (commit) => (firstOf(commit)?.event.position ?? Number.POSITIVE_INFINITY) <= commit.position,
    firstOf,
    lastPositionOf: (commit) =>
      sql.exec<{ position: number }>(
        "SELECT position FROM parked_commits WHERE of = ? AND aggregate = ? ORDER BY position DESC LIMIT 1",
        of,
        aggregateOf(commit),
      )[0]?.position,
    page: ({ limit, after = { position: 0, id: "" } }) =>
      select("AND position > ? ORDER BY position LIMIT ?", after.position, limit).map(({ event }) => event),
    count: () => parked,
    find,
    details(id) {
      const { event, commit } = find(id) ?? {};
      const [first] = commit?.events ?? [];
      if (!event || !commit || !first) return undefined;
      return { ...event, key: aggregateOf(commit), event: first, metadata: { ...commit.metadata } };
    },
    remove(id) {
      sql.exec("DELETE FROM parked_commits WHERE of = ? AND id = ?", of, id);
      parked = count();
    },
    replays: (id, mark) =>
      void sql.exec("UPDATE parked_commits SET replay = ? WHERE of = ? AND id = ?", mark, of, id),
    settle(mark) {
      sql.exec("DELETE FROM parked_commits WHERE of = ? AND replay = ?", of, mark);
      parked = count();
    },
    all: () => select("ORDER BY position"),
    replace(entries) {
      sql.transaction(() => {
        sql.exec("DELETE FROM parked_commits WHERE of = ?", of);
        for (const entry of entries) insert(entry);
      });
      parked = count();
    },
  };
};

const aggregateOf = ({ aggregate }: Commit): string => `${aggregate.type}/${aggregate.id}`;

const parkedFrom = ({ event, commit_json }: Columns): Parked => ({
  event: JSON.parse(event) as ParkedCommit,
  commit: JSON.parse(commit_json) as Commit,
});
