/** An Actor whose methods show, one by one, what its host promises. */
import type { ActorContext, ActorLogic } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { injectTrace } from "#shared/telemetry/propagation.ts";

/** When the alarm should ring and when it did, epoch milliseconds. */
export type Ring = { due: number; at: number };

type Entry = { key: string; value: string };

export type ProbeMethods = {
  name(input: null): Promise<string>;
  echo(input: unknown): Promise<unknown>;
  put(input: Entry): Promise<void>;
  entries(input: null): Promise<Entry[]>;
  /** Writes all in one transaction, and throws in it when told to. */
  putAll(input: { entries: Entry[]; fail: boolean }): Promise<void>;
  /** What SQLite gives back of each kind of value; bytes as numbers. */
  values(input: null): Promise<object>;
  /** Resolves for both when two have come. */
  meet(input: null): Promise<string>;
  trace(input: null): Promise<Record<string, string>>;
  fail(input: null): Promise<never>;
  /** Sets the alarm; the first `failures` times that it rings it throws. */
  ringIn(input: { ms: number; failures?: number }): Promise<void>;
  clearAlarm(input: null): Promise<void>;
  /** All rings, as soon as there are so many. */
  rings(input: { count: number }): Promise<Ring[]>;
};

export const probeActor = (context: ActorContext, clock: Clock): ActorLogic<ProbeMethods> => {
  const { sql, alarm } = context;
  sql.exec("CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
  sql.exec("CREATE TABLE IF NOT EXISTS expected (due INTEGER NOT NULL, failures INTEGER NOT NULL)");
  sql.exec("CREATE TABLE IF NOT EXISTS ring (due INTEGER NOT NULL, at INTEGER NOT NULL)");
  const put = ({ key, value }: Entry) => {
    sql.exec("INSERT INTO entry (key, value) VALUES (?, ?)", key, value);
  };
  const meeting = Promise.withResolvers<void>();
  let met = 0;
  let onRing = () => {};

  return {
    methods: {
      name: async () => context.name,
      echo: async (input) => input,
      put: async (entry) => put(entry),
      entries: async () => sql.exec<Entry>("SELECT key, value FROM entry ORDER BY key"),
      putAll: async ({ entries, fail }) =>
        sql.transaction(() => {
          for (const entry of entries) put(entry);
          if (fail) throw new Error("the transaction fails");
        }),
      async values() {
        const bytes = new Uint8Array([1, 0, 255]).buffer;
        const [row] = sql.exec<Record<string, string | number | null | ArrayBuffer>>(
          "SELECT ? AS text, ? AS whole, ? AS real, ? AS absent, ? AS bytes",
          "Größe 🫖",
          2 ** 53 - 1,
          0.5,
          null,
          bytes,
        );
        const isBuffer = row?.bytes instanceof ArrayBuffer;
        return { ...row, bytes: isBuffer ? [...new Uint8Array(row.bytes as ArrayBuffer)] : "no ArrayBuffer" };
      },
      async meet() {
        if (++met === 2) meeting.resolve();
        await meeting.promise;
        return "met";
      },
      trace: async () => injectTrace(),
      fail: async () => {
        throw new RangeError("the method fails");
      },
      async ringIn({ ms, failures = 0 }) {
        const due = clock() + ms;
        sql.exec("DELETE FROM expected");
        sql.exec("INSERT INTO expected (due, failures) VALUES (?, ?)", due, failures);
        await alarm.set(due);
      },
      clearAlarm: async () => alarm.clear(),
      async rings({ count }) {
        for (;;) {
          const rings = sql.exec<Ring>("SELECT due, at FROM ring ORDER BY at");
          if (rings.length >= count) return rings;
          await new Promise<void>((resolve) => {
            onRing = resolve;
          });
        }
      },
    },
    async alarm() {
      const [expected] = sql.exec<{ due: number; failures: number }>("SELECT due, failures FROM expected");
      sql.exec("INSERT INTO ring (due, at) VALUES (?, ?)", expected?.due ?? 0, clock());
      onRing();
      sql.exec("UPDATE expected SET failures = failures - 1");
      if (expected && expected.failures > 0) throw new Error("the alarm fails");
    },
  };
};
