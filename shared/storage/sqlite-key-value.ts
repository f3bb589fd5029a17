/** KeyValue in one SQLite file, for Node: seen by every process that opened the file, at once. */
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../runtime/clock.ts";
import type { KeyValue } from "./key-value.ts";
import { checkTtl, decodeKey, encodeKey, encodePrefix } from "./key-value-limits.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS key_values (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS key_values_expiring ON key_values (expires_at) WHERE expires_at IS NOT NULL;
`;

const PAGE = 1_000;

/** How long a write waits for another process's. */
const LOCK_MS = 5_000;

/** Sorts after every character that an encoded key may hold. */
const AFTER_ALL = "\u007f";

/** @param options.path the file, created when absent */
export const sqliteKeyValue = ({ path, clock }: { path: string; clock: Clock }): KeyValue & Disposable => {
  const database = new DatabaseSync(path, { timeout: LOCK_MS });
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(SCHEMA);
  const select = database.prepare(
    "SELECT value FROM key_values WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)",
  );
  const upsert = database.prepare(
    "INSERT INTO key_values VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
  );
  const remove = database.prepare("DELETE FROM key_values WHERE key = ?");
  const sweep = database.prepare("DELETE FROM key_values WHERE expires_at <= ?");
  const page = database.prepare(
    `SELECT key FROM key_values WHERE key > ? AND key < ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ${PAGE}`,
  );
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  return {
    async get(key) {
      const row = select.get(encodeKey(key), clock());
      return row && decoder.decode(row.value as Uint8Array);
    },

    async put(key, value, { ttlSeconds } = {}) {
      checkTtl(ttlSeconds);
      const now = clock();
      sweep.run(now);
      const expiresAt = ttlSeconds === undefined ? null : now + ttlSeconds * 1_000;
      upsert.run(encodeKey(key), encoder.encode(value), expiresAt);
    },

    async remove(key) {
      remove.run(encodeKey(key));
    },

    async *list(prefix) {
      const start = encodePrefix(prefix);
      let last = start;
      for (;;) {
        const keys = page.all(last, start + AFTER_ALL, clock()).map((row) => row.key as string);
        yield* keys.map(decodeKey);
        const end = keys.at(-1);
        if (end === undefined || keys.length < PAGE) return;
        last = end;
      }
    },

    [Symbol.dispose]() {
      database.close();
    },
  };
};
