/** What the part stands on, for its tests: time, Actors whose calls can be held up, lost and restarted, a platform's counter. */
import { DatabaseSync } from "node:sqlite";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { type Actors, ActorUnavailable } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import type { LocationLimiter } from "./location-tier.ts";
import { type RateLimitMethods, rateLimitActor } from "./rate-limit-actor.ts";

export interface FakeActors extends Actors<RateLimitMethods> {
  /** Whom was called, in order. */
  readonly calls: string[];
  /** `away` fails at once, `silent` never answers; what is asked then is counted none the less. */
  state: "there" | "away" | "silent";
  /** Ends all: what is in memory is gone. */
  restart(): void;
  /** Rings the alarms that are due. */
  ring(): Promise<void>;
  /** Rows that all of them store together. */
  rows(): number;
}

export const fakeActors = (clock: Clock): FakeActors => {
  const databases = new Map<string, { database: DatabaseSync; alarmAt: number | undefined }>();
  let hosted = new Map<string, ReturnType<typeof rateLimitActor>>();
  const storeOf = (name: string) => {
    const store = databases.get(name) ?? { database: new DatabaseSync(":memory:"), alarmAt: undefined };
    databases.set(name, store);
    return store;
  };
  const host = (name: string) => {
    const store = storeOf(name);
    const set = async (atMs: number) => {
      store.alarmAt = atMs;
    };
    const clear = async () => {
      store.alarmAt = undefined;
    };
    const context = { name, sql: nodeSql(store.database), alarm: { set, clear }, worked: () => undefined };
    const actor = hosted.get(name) ?? rateLimitActor(context, clock);
    hosted.set(name, actor);
    return actor;
  };
  const actors: FakeActors = {
    calls: [],
    state: "there",
    named: (name) => ({
      async take(input) {
        actors.calls.push(name);
        if (actors.state === "away") throw new ActorUnavailable("away");
        const verdicts = await host(name).methods.take(structuredClone(input));
        return actors.state === "silent" ? new Promise(() => undefined) : verdicts;
      },
    }),
    restart() {
      hosted = new Map();
    },
    async ring() {
      for (const [name, store] of databases) {
        if (store.alarmAt === undefined || store.alarmAt > clock()) continue;
        store.alarmAt = undefined;
        await host(name).alarm?.();
      }
    },
    rows() {
      let rows = 0;
      for (const { database } of databases.values()) {
        const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'spent'").get();
        if (table) rows += Number(database.prepare("SELECT count(*) AS n FROM spent").get()?.n);
      }
      return rows;
    },
  };
  return actors;
};

/** Ends waits when the test says so. */
export const fakeTimer = (): { timer: Timer; waiting(): number; end(): void } => {
  const waits = new Set<() => void>();
  return {
    timer: (_, run) => {
      waits.add(run);
      return () => waits.delete(run);
    },
    waiting: () => waits.size,
    end() {
      for (const run of waits) run();
      waits.clear();
    },
  };
};

/** As the platform's: so many for each key, and no end of the period. */
export const fakeLocationLimiter = (limit: number): LocationLimiter & { readonly keys: string[] } => {
  const keys: string[] = [];
  return {
    keys,
    async limit({ key }) {
      keys.push(key);
      return { success: keys.filter((each) => each === key).length <= limit };
    },
  };
};
