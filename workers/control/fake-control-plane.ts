/** The control plane's Actor over a SQLite in memory, with a clock and an alarm that the test holds. */
import { DatabaseSync } from "node:sqlite";
import { newKey } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { sqliteKeyValue } from "#shared/storage/sqlite-key-value.ts";
import { controlPlane } from "./control-plane.ts";
import type { RolloutPlan } from "./part.ts";
import { hearingEpoch } from "./told-epoch.ts";

/** What outlives the Actor: the database, the alarm, the KeyValue store, and time. */
export const fakeControlPlane = (start = Date.UTC(2026, 0, 1)) => {
  const database = new DatabaseSync(":memory:");
  const state = {
    now: start,
    alarmAt: undefined as number | undefined,
    alarmFails: false,
    kvFails: false,
    broadcast: [] as number[],
  };
  const clock = () => state.now;
  const stored = sqliteKeyValue({ path: ":memory:", clock });
  const keyValue: KeyValue = {
    ...stored,
    put: (key, value) => (state.kvFails ? Promise.reject(new Error("KV is away")) : stored.put(key, value)),
  };
  const keys = newKey("k1");

  /** A new Actor over what is there. */
  const boot = (options: { keys?: string | undefined } = { keys }) => {
    const actor = controlPlane({
      context: {
        sql: nodeSql(database),
        alarm: {
          async set(atMs) {
            if (state.alarmFails) throw new Error("the alarm cannot be set");
            state.alarmAt = atMs;
          },
          async clear() {
            state.alarmAt = undefined;
          },
        },
      },
      snapshots: keyValue,
      clock,
      random: () => 0.5,
      keys: options.keys,
      probe: async () => ({ ok: true }),
      allowedHosts: "",
      bindings: ["ORDERS", "PAYMENTS"],
      async broadcast(epoch) {
        state.broadcast.push(epoch);
        throw new Error("NATS is away");
      },
    });
    /** Lets time pass to the alarm, which leaves as it rings. @throws Error when none is set */
    const ring = async () => {
      if (state.alarmAt === undefined) throw new Error("Waiting for the alarm: none is set");
      state.now = Math.max(state.now, state.alarmAt);
      state.alarmAt = undefined;
      await actor.alarm?.();
    };
    return { ...hearingEpoch(actor.methods).methods, telling: actor.methods, ring };
  };

  return { boot, state, database, keyValue, keys };
};

export type FakeControlPlane = ReturnType<ReturnType<typeof fakeControlPlane>["boot"]>;

/** Writes a document whatever stands there. @throws Error when it is refused */
export const put = async (
  plane: FakeControlPlane,
  [service, profile, content]: readonly [service: string, profile: string, content: JsonObject],
  rollout?: RolloutPlan,
) => {
  const input = { service, profile, content, reason: "", rollout, author: "test" };
  const created = await plane.putDocument({ ...input, ifNoneMatch: "*" });
  const written = created.ok ? created : await plane.putDocument({ ...input, ifMatch: "*" });
  if (!written.ok) throw new Error(written.error.detail);
  return written.value.revision;
};

/** Every row of every table, as one text. */
export const dump = (database: DatabaseSync): string =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => JSON.stringify(database.prepare(`SELECT * FROM "${name}"`).all()))
    .join("\n");
