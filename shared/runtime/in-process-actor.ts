/** The Actor port inside one Node, Bun or Deno process: a SQLite file per name, alarms by timers. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ActorContext, ActorLogic, ActorMethods, ActorSql, Actors, SqlRow, SqlValue } from "./actor.ts";
import type { Clock } from "./clock.ts";

export interface Timers {
  set(run: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export interface InProcessActors<Methods extends ActorMethods> extends Actors<Methods> {
  /** Stops alarms and closes the files; what is on disk stays for the next start. */
  close(): void;
}

interface Hosted<Methods extends ActorMethods> {
  logic: ActorLogic<Methods>;
  close(): void;
}

/** @param options.folder where the files stand, one per Actor name; made when absent */
export const inProcessActors = <Methods extends ActorMethods>({
  folder,
  create,
  clock,
  timers,
}: {
  folder: string;
  create: (context: ActorContext) => ActorLogic<Methods>;
  clock: Clock;
  timers: Timers;
}): InProcessActors<Methods> => {
  mkdirSync(folder, { recursive: true });
  const hosted = new Map<string, Hosted<Methods>>();

  const start = (name: string): Hosted<Methods> => {
    const database = new DatabaseSync(join(folder, `${encodeURIComponent(name)}.sqlite`));
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(
      "CREATE TABLE IF NOT EXISTS skerry_alarm (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL)",
    );
    let timer: unknown;
    let logic: ActorLogic<Methods> | undefined;

    const arm = (at: number) => {
      timers.clear(timer);
      timer = timers.set(() => void ring(at), Math.max(0, at - clock()));
    };
    const ring = async (at: number) => {
      database.prepare("DELETE FROM skerry_alarm WHERE at = ?").run(at);
      await logic?.alarm?.();
    };

    logic = create({
      name,
      sql: nodeSql(database),
      alarm: {
        async set(at) {
          database.prepare("INSERT OR REPLACE INTO skerry_alarm (id, at) VALUES (1, ?)").run(at);
          arm(at);
        },
        async clear() {
          database.exec("DELETE FROM skerry_alarm");
          timers.clear(timer);
        },
      },
      background: (work) => void work.catch(() => undefined),
      worked: () => undefined,
    });
    const left = database.prepare("SELECT at FROM skerry_alarm").get() as { at: number } | undefined;
    if (left) arm(left.at);
    return {
      logic,
      close() {
        timers.clear(timer);
        database.close();
      },
    };
  };

  return {
    named(name) {
      const known = hosted.get(name) ?? start(name);
      hosted.set(name, known);
      return known.logic.methods;
    },
    close() {
      for (const actor of hosted.values()) actor.close();
      hosted.clear();
    },
  };
};

const nodeSql = (database: DatabaseSync): ActorSql => ({
  exec<Row extends SqlRow>(statement: string, ...params: SqlValue[]) {
    return database.prepare(statement).all(...params.map(toNode)) as Row[];
  },
  transaction(work) {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  },
});

const toNode = (value: SqlValue) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value);
