/** The Actor port inside one Node, Bun or Deno process: a SQLite file per name, alarms by timers. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { withTrace } from "../telemetry/propagation.ts";
import type { ActorContext, ActorLogic, ActorMethods, Actors } from "./actor.ts";
import type { Clock } from "./clock.ts";
import { nodeSql } from "./node-sql.ts";

export interface Timers {
  set(run: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export interface InProcessActors<Methods extends ActorMethods> extends Actors<Methods> {
  /** Stops alarms and closes the files; what is on disk stays for the next start. */
  close(): void;
}

interface Hosted<Methods extends ActorMethods> {
  methods: Methods;
  close(): void;
}

/** A timer of more fires at once instead: `setTimeout` keeps its delay in 31 bits. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** A failed alarm rings again after this long. */
const ALARM_RETRY_MS = 2_000;

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
    const alarm = persistentAlarm(database, { clock, timers });
    const logic = create({
      name,
      sql: nodeSql(database),
      alarm,
      worked: () => undefined,
    });
    alarm.start(async () => logic.alarm?.());
    return {
      methods: callable(name, logic.methods),
      close() {
        alarm.stop();
        database.close();
      },
    };
  };

  return {
    named(name) {
      const known = hosted.get(name) ?? start(name);
      hosted.set(name, known);
      return known.methods;
    },
    close() {
      for (const actor of hosted.values()) actor.close();
      hosted.clear();
    },
  };
};

/** As over a network: every call goes its own way, and what is passed is copied. */
const callable = <Methods extends ActorMethods>(name: string, methods: Methods): Methods =>
  new Proxy({} as Methods, {
    get(_, method) {
      // What has a `then` would be taken for a promise by `await`.
      if (typeof method !== "string" || method === "then") return undefined;
      return async (input: unknown) => {
        const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
        if (!run) throw new Error(`Cannot call "${method}": the Actor "${name}" has no such method`);
        return structuredClone(await run(structuredClone(input)));
      };
    },
  });

/** One alarm that survives the process: it leaves the file only after what it called for has succeeded. */
const persistentAlarm = (database: DatabaseSync, { clock, timers }: { clock: Clock; timers: Timers }) => {
  database.exec(
    "CREATE TABLE IF NOT EXISTS skerry_alarm (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, rung INTEGER NOT NULL)",
  );
  let timer: unknown;
  let stopped = false;
  let ringing: Promise<void> = Promise.resolve();
  let call: () => Promise<void> = async () => {};

  const stored = () =>
    database.prepare("SELECT at, rung FROM skerry_alarm").get() as { at: number; rung: number } | undefined;

  const arm = (at: number) => {
    timers.clear(timer);
    timer = timers.set(due, Math.min(TIMER_MS_MAX, Math.max(0, at - clock())));
  };
  /** An alarm that is due while the former one is at work comes after it. */
  const due = () => {
    ringing = ringing.then(ring).catch(() => {
      // The file could not be read or written: the alarm still stands in it.
      if (!stopped) arm(clock() + ALARM_RETRY_MS);
    });
  };
  const ring = async () => {
    const alarm = stopped ? undefined : stored();
    if (!alarm) return;
    if (alarm.at > clock()) return arm(alarm.at);
    database.exec("UPDATE skerry_alarm SET rung = 1");
    const failed = await withTrace({}, call).then(
      () => false,
      () => true,
    );
    if (stopped) return;
    if (!failed) database.exec("DELETE FROM skerry_alarm WHERE rung = 1");
    else if (stored()?.rung) arm(clock() + ALARM_RETRY_MS);
  };

  return {
    async set(at: number) {
      database.prepare("INSERT OR REPLACE INTO skerry_alarm (id, at, rung) VALUES (1, ?, 0)").run(at);
      arm(at);
    },
    async clear() {
      database.exec("DELETE FROM skerry_alarm");
      timers.clear(timer);
    },
    /** Also rings what the last process left. */
    start(alarm: () => Promise<void>) {
      call = alarm;
      const left = stored();
      if (left) arm(left.at);
    },
    stop() {
      stopped = true;
      timers.clear(timer);
    },
  };
};
