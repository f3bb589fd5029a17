/** What an Actor stands on, for unit tests: SQLite in memory, an alarm in virtual time, and death at will. */
import { DatabaseSync } from "node:sqlite";
import type { ActorContext, ActorSql } from "#shared/runtime/actor.ts";
import type { Sleep } from "#shared/runtime/clock.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import { type VirtualTime, virtualTime } from "./virtual-time.ts";

export interface TestActorContext extends ActorContext {
  readonly time: VirtualTime;
  /** Ends with the Actor: one that died does not wake up any more. */
  readonly sleep: Sleep;
  /** When the alarm rings; undefined when none is set. */
  alarmAt(): number | undefined;
  /** From now on a due alarm calls this. */
  onAlarm(ring: (() => Promise<void>) | undefined): void;
  /** How often the Actor said that it did some work. */
  timesWorked(): number;
  /** As `kill -9`: it writes, sleeps and rings no more. What is in its SQLite stays. */
  die(): void;
  alive(): boolean;
  /** The same name, SQLite and time for whoever comes after. */
  successor(): TestActorContext;
}

const forEver = () => new Promise<never>(() => {});

export const testActorContext = ({
  name = "test",
  sql = nodeSql(new DatabaseSync(":memory:")),
  time = virtualTime(),
}: {
  name?: string;
  sql?: ActorSql;
  time?: VirtualTime;
} = {}): TestActorContext => {
  let alive = true;
  let alarmAt: number | undefined;
  let pending: AbortController | undefined;
  let ring: (() => Promise<void>) | undefined;
  let worked = 0;

  const assertAlive = () => {
    if (!alive) throw new Error(`Cannot write: the Actor "${name}" is dead`);
  };

  const disarm = () => {
    alarmAt = undefined;
    pending?.abort();
  };
  const arm = (at: number) => {
    disarm();
    alarmAt = at;
    pending = new AbortController();
    time.sleep(Math.max(0, at - time.clock()), pending.signal).then(
      () => {
        alarmAt = undefined;
        if (alive) void ring?.();
      },
      () => undefined,
    );
  };

  return {
    name,
    time,
    sql: {
      exec(statement, ...params) {
        assertAlive();
        return sql.exec(statement, ...params);
      },
      transaction(work) {
        assertAlive();
        return sql.transaction(work);
      },
    },
    alarm: {
      async set(at) {
        if (alive) arm(at);
      },
      async clear() {
        disarm();
      },
    },
    worked: () => {
      worked++;
    },
    sleep: (ms, signal) =>
      time.sleep(ms, signal).then(
        () => (alive ? undefined : forEver()),
        (error) => (alive ? Promise.reject(error) : forEver()),
      ),
    alarmAt: () => alarmAt,
    onAlarm(next) {
      ring = next;
    },
    timesWorked: () => worked,
    die() {
      alive = false;
      disarm();
    },
    alive: () => alive,
    successor: () => testActorContext({ name, sql, time }),
  };
};
