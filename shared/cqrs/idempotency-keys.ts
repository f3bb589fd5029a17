/** Which aggregate an Idempotency-Key stands for, kept in the Actor's own SQLite for `LIMITS.idempotencyKeyMs`. */

import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorSql } from "../runtime/actor.ts";
import type { Clock } from "../runtime/clock.ts";

export interface KeyRequest {
  /** Hash of the client's key and of what it was used for. */
  readonly key: string;
  /** Hash of the request's content: the same key with another one is refused. */
  readonly fingerprint: string;
  /** The aggregate that the command is for, should the key be new. */
  readonly id: string;
}

export interface KeyHolder {
  readonly id: string;
  /** True for the first request with this key. */
  readonly fresh: boolean;
  /** Epoch milliseconds: a key that was forgotten and comes again is another command. */
  readonly reservedAt: number;
}

export interface IdempotencyKeys {
  reserve(request: KeyRequest): Result<KeyHolder, Failure>;
  /** Remembers where the key's command stands in the log. */
  settle(key: string, position: number): void;
  /** Where the key's command stands; undefined while that is not known. */
  settledAt(key: string): number | undefined;
}

const SWEEP_EVERY_MS = 60_000;

export const idempotencyKeys = (sql: ActorSql, clock: Clock): IdempotencyKeys => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS idempotency_key (
      key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL, position INTEGER, created_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
  );
  sql.exec("CREATE INDEX IF NOT EXISTS idempotency_key_age ON idempotency_key (created_at)");
  let sweptAt = 0;

  const sweep = () => {
    if (clock() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = clock();
    sql.exec("DELETE FROM idempotency_key WHERE created_at < ?", sweptAt - LIMITS.idempotencyKeyMs);
  };

  return {
    reserve({ key, fingerprint, id }) {
      sweep();
      const [known] = sql.exec<{ fingerprint: string; id: string; created_at: number }>(
        "SELECT fingerprint, id, created_at FROM idempotency_key WHERE key = ?",
        key,
      );
      if (!known) {
        const reservedAt = clock();
        sql.exec(
          "INSERT INTO idempotency_key (key, fingerprint, id, created_at) VALUES (?, ?, ?, ?)",
          key,
          fingerprint,
          id,
          reservedAt,
        );
        return ok({ id, fresh: true, reservedAt });
      }
      if (known.fingerprint !== fingerprint) {
        return err({
          code: "idempotency_key_reused",
          detail:
            "This Idempotency-Key came with another request before: expected the same body or a new key",
        });
      }
      return ok({ id: known.id, fresh: false, reservedAt: known.created_at });
    },
    settle: (key, position) =>
      void sql.exec("UPDATE idempotency_key SET position = ? WHERE key = ?", position, key),
    settledAt(key) {
      const [row] = sql.exec<{ position: number | null }>(
        "SELECT position FROM idempotency_key WHERE key = ?",
        key,
      );
      return row?.position ?? undefined;
    },
  };
};
