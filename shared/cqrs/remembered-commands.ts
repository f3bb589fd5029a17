/** The command ids of an aggregate: the newest in memory with its fold, others of `LIMITS.commandIdMs` in the Actor's SQLite. */
import { LIMITS } from "../limits.ts";
import type { ActorSql } from "../runtime/actor.ts";
import type { Clock } from "../runtime/clock.ts";

/** An id, the position of its commit, and the time of its events in epoch milliseconds. */
export type RememberedCommand = readonly [id: string, position: number, at: number];

/** What one folded aggregate remembers; changed in place. */
export interface RememberedCommands {
  /** Oldest first. More than are to be remembered wait to be spilled. */
  readonly newest: Map<string, RememberedCommand>;
  /** Time of the newest id that is in the Actor's table instead; 0 when none is. */
  spilledUntil: number;
}

export interface RememberedCommandTable {
  /** Position of the command's commit, should its id have been spilled. */
  find(aggregate: string, id: string): number | undefined;
  /** Moves what is beyond `max` from memory into the table, and lets go what is old enough. */
  spill(aggregate: string, commands: RememberedCommands, max: number): void;
  /** The aggregate's spilled ids that are not old enough to be let go, at most so many, in no particular order. */
  young(aggregate: string, most: number): RememberedCommand[];
  /** For a history that turned out to be another one. */
  forget(aggregate: string): void;
}

/** Rows of one statement: its one parameter has at most 2 MB. */
const ROWS_TOGETHER = 5_000;

export const rememberNone = (): RememberedCommands => ({ newest: new Map(), spilledUntil: 0 });

/** @param bounds what is beyond `max` and older than `since` (epoch ms) is let go; what is younger stays until it is spilled */
export const remember = (
  { newest }: RememberedCommands,
  command: RememberedCommand,
  { max, since }: { max: number; since: number },
): void => {
  newest.delete(command[0]);
  newest.set(command[0], command);
  for (const [id, , at] of newest.values()) {
    if (newest.size <= max || at >= since) return;
    newest.delete(id);
  }
};

export const rememberedCommandTable = (sql: ActorSql, clock: Clock): RememberedCommandTable => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS remembered_command (
      aggregate TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL,
      PRIMARY KEY (aggregate, id)
    ) WITHOUT ROWID`,
  );
  let sweptAt = 0;

  const sweep = (now: number) => {
    if (now - sweptAt < LIMITS.commandIdsSweepMs) return;
    sweptAt = now;
    sql.exec("DELETE FROM remembered_command WHERE at < ?", now - LIMITS.commandIdMs);
  };

  /** Writes nothing for what stands there already, as after each fold of the same history. */
  const write = (aggregate: string, rows: readonly RememberedCommand[]) => {
    for (let from = 0; from < rows.length; from += ROWS_TOGETHER) {
      sql.exec(
        `INSERT INTO remembered_command (aggregate, id, position, at)
          SELECT ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
          FROM json_each(?) WHERE true
          ON CONFLICT (aggregate, id) DO UPDATE SET position = excluded.position, at = excluded.at
          WHERE excluded.position > position`,
        aggregate,
        JSON.stringify(rows.slice(from, from + ROWS_TOGETHER)),
      );
    }
  };

  return {
    find(aggregate, id) {
      const [row] = sql.exec<{ position: number }>(
        "SELECT position FROM remembered_command WHERE aggregate = ? AND id = ?",
        aggregate,
        id,
      );
      return row?.position;
    },
    spill(aggregate, commands, max) {
      const now = clock();
      const beyond = [...commands.newest.values()].slice(0, Math.max(0, commands.newest.size - max));
      const young = beyond.filter(([, , at]) => at >= now - LIMITS.commandIdMs);
      write(aggregate, young);
      // Only now: should writing fail, memory still has them.
      for (const [id] of beyond) commands.newest.delete(id);
      for (const [, , at] of young) commands.spilledUntil = Math.max(commands.spilledUntil, at);
      sweep(now);
    },
    young: (aggregate, most) =>
      sql
        .exec<{ id: string; position: number; at: number }>(
          "SELECT id, position, at FROM remembered_command WHERE aggregate = ? AND at >= ? LIMIT ?",
          aggregate,
          clock() - LIMITS.commandIdMs,
          most,
        )
        .map(({ id, position, at }) => [id, position, at]),
    forget: (aggregate) => void sql.exec("DELETE FROM remembered_command WHERE aggregate = ?", aggregate),
  };
};
