/** Which tokens there are: names, roles, lifetimes and hashes, never a token itself. */
import type { Failure } from "#shared/http/errors.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import type { Caller, Role } from "./caller.ts";
import { type PresentedToken, sameHash } from "./token.ts";

export interface TokenEntry extends Caller {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  /** RFC 3339 UTC. */
  readonly expiresAt: string;
}

export interface NewToken extends PresentedToken, Caller {
  readonly ttlSeconds: number;
}

export type TokenMethods = {
  /** Refuses with `limit_reached` when all that are kept still hold. */
  addToken(token: NewToken): Promise<Result<TokenEntry, Failure<"limit_reached">>>;
  /** By their time of making. */
  listTokens(input: undefined): Promise<TokenEntry[]>;
  removeToken(input: { readonly id: string }): Promise<Result<undefined, Failure<"token_not_found">>>;
  checkToken(token: PresentedToken): Promise<Result<Caller, Failure<"token_unknown" | "token_expired">>>;
};

type Row = {
  id: string;
  name: string;
  role: string;
  services: string | null;
  hash: string;
  created_at: number;
  expires_at: number;
};

export const tokenStore = ({ sql, clock }: { sql: ActorSql; clock: Clock }): TokenMethods => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS tokens (
       id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, services TEXT, hash TEXT NOT NULL,
       created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
     ) WITHOUT ROWID`,
  );

  const count = () => sql.exec<{ tokens: number }>("SELECT COUNT(*) AS tokens FROM tokens")[0]?.tokens ?? 0;

  /** Expired ones are kept as long as there is room: their holders are told that they expired. */
  const makeRoom = (now: number): boolean => {
    if (count() < LIMITS.tokensKept) return true;
    sql.exec("DELETE FROM tokens WHERE expires_at <= ?", now);
    return count() < LIMITS.tokensKept;
  };

  const insert = ({ id, hash, name, role, services, ttlSeconds }: NewToken, now: number): Row => {
    const row: Row = {
      id,
      name,
      role,
      services: services ? JSON.stringify(services) : null,
      hash,
      created_at: now,
      expires_at: now + ttlSeconds * 1_000,
    };
    sql.exec(
      "INSERT INTO tokens (id, name, role, services, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[row.id, row.name, row.role, row.services, row.hash, row.created_at, row.expires_at],
    );
    return row;
  };

  return {
    addToken: async (token) =>
      sql.transaction(() => {
        const now = clock();
        return makeRoom(now) ? ok(entryOf(insert(token, now))) : err(tooMany(token.name));
      }),
    listTokens: async () => sql.exec<Row>("SELECT * FROM tokens ORDER BY created_at, id").map(entryOf),
    async removeToken({ id }) {
      const removed = sql.exec("DELETE FROM tokens WHERE id = ? RETURNING id", id);
      return removed.length > 0 ? ok(undefined) : err(notFound(id));
    },
    async checkToken({ id, hash }) {
      const [row] = sql.exec<Row>("SELECT * FROM tokens WHERE id = ?", id);
      if (!row || !sameHash(row.hash, hash)) return err(UNKNOWN_TOKEN);
      return row.expires_at > clock() ? ok(callerIn(row)) : err(expired(row));
    },
  };
};

export const UNKNOWN_TOKEN: Failure<"token_unknown"> = {
  code: "token_unknown",
  detail: "Reading the bearer token: it is none that was made here, or it was removed.",
};

const expired = ({ name, expires_at }: Row): Failure<"token_expired"> => ({
  code: "token_expired",
  detail: `Reading the bearer token "${name}": it expired at ${rfc3339(expires_at)}.`,
});

const tooMany = (name: string): Failure<"limit_reached"> => ({
  code: "limit_reached",
  detail: `Making the token "${name}": there are ${LIMITS.tokensKept} already; expected that some are removed first.`,
});

const notFound = (id: string): Failure<"token_not_found"> => ({
  code: "token_not_found",
  detail: `Removing the token "${id}": expected the id of one that was made before.`,
});

const callerIn = ({ name, role, services }: Row): Caller => ({
  name,
  role: role as Role,
  ...(services !== null && { services: JSON.parse(services) as string[] }),
});

const entryOf = (row: Row): TokenEntry => ({
  id: row.id,
  ...callerIn(row),
  createdAt: rfc3339(row.created_at),
  expiresAt: rfc3339(row.expires_at),
});
