/** A payment provider as an Actor: holds authorisations, once per idempotency key, and misbehaves as it is told. */
import type { ActorContext, ActorLogic, ActorSql } from "#shared/runtime/actor.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";

/** What the next requests meet; `times` of them when it is given, then `approve` again. */
export type Behaviour = {
  mode: "approve" | "decline" | "slow" | "fail";
  /** With `slow`: the answer comes that much later, what was asked is done at once. */
  delayMs?: number | undefined;
  times?: number | undefined;
};

export type AuthorisationRequest = {
  idempotencyKey: string;
  orderId: string;
  amount: number;
  currency: string;
  /** Becomes the authorisation's id when this request makes one. */
  newId: string;
  /** Epoch milliseconds. */
  at: number;
};

export type AuthorisationAnswer =
  | { outcome: "authorised"; authorisationId: string; delayMs: number }
  | { outcome: "declined" | "voided" | "failed" | "key_reused"; delayMs: number };

export type VoidAnswer = { outcome: "voided" | "unknown" | "failed"; delayMs: number };

export type Authorisation = {
  authorisationId: string;
  orderId: string;
  amount: number;
  currency: string;
  status: "live" | "voided";
  authorisedAt: string;
};

export type AuthorisationList = {
  /** Every authorisation ever made. */
  count: number;
  /** Those that still hold money. */
  live: number;
  items: Authorisation[];
  /** Give it as `after` for the next page; absent on the last. */
  next?: number;
};

export type ProviderMethods = {
  authorise(request: AuthorisationRequest): Promise<AuthorisationAnswer>;
  /** Voiding again is a success. */
  void(target: { authorisationId: string }): Promise<VoidAnswer>;
  /** Voids what was authorised under the key, and whatever would be later. */
  voidKey(target: { idempotencyKey: string }): Promise<VoidAnswer>;
  behave(behaviour: Behaviour): Promise<Behaviour>;
  behaviour(): Promise<Behaviour>;
  list(page: { orderId?: string | undefined; after: number; limit: number }): Promise<AuthorisationList>;
};

const DELAY_MS_DEFAULT = 5_000;

const TABLES = [
  `CREATE TABLE IF NOT EXISTS requests (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     idempotency_key TEXT NOT NULL UNIQUE,
     status TEXT NOT NULL CHECK (status IN ('live', 'voided', 'declined')),
     authorisation_id TEXT UNIQUE,
     order_id TEXT, amount INTEGER, currency TEXT, authorised_at TEXT)`,
  `CREATE TABLE IF NOT EXISTS behaviour (
     id INTEGER PRIMARY KEY CHECK (id = 1), mode TEXT NOT NULL, delay_ms INTEGER, remaining INTEGER)`,
];

type RequestRow = {
  number: number;
  status: "live" | "voided" | "declined";
  authorisation_id: string | null;
  order_id: string | null;
  amount: number | null;
  currency: string | null;
  authorised_at: string | null;
};

export const paymentProvider = ({ sql }: ActorContext): ActorLogic<ProviderMethods> => {
  for (const table of TABLES) sql.exec(table);
  const behaviour = behaviourTable(sql);

  const requestUnder = (key: string) =>
    sql.exec<RequestRow>("SELECT * FROM requests WHERE idempotency_key = ?", key)[0];

  const record = (request: AuthorisationRequest, status: "live" | "declined") =>
    sql.exec(
      `INSERT INTO requests (idempotency_key, status, authorisation_id, order_id, amount, currency, authorised_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      request.idempotencyKey,
      status,
      status === "live" ? request.newId : null,
      request.orderId,
      request.amount,
      request.currency,
      status === "live" ? rfc3339(request.at) : null,
    );

  const voiding = (change: () => "voided" | "unknown"): VoidAnswer => {
    const { mode, delayMs } = behaviour.take(["slow", "fail"]);
    return mode === "fail" ? { outcome: "failed", delayMs: 0 } : { outcome: change(), delayMs };
  };

  return {
    methods: {
      async authorise(request) {
        const known = requestUnder(request.idempotencyKey);
        const { mode, delayMs } = behaviour.take(known ? ["slow", "fail"] : ["slow", "fail", "decline"]);
        if (mode === "fail") return { outcome: "failed", delayMs: 0 };
        if (known) return { ...answerAgain(known, request), delayMs };
        record(request, mode === "decline" ? "declined" : "live");
        return mode === "decline"
          ? { outcome: "declined", delayMs }
          : { outcome: "authorised", authorisationId: request.newId, delayMs };
      },

      void: async ({ authorisationId }) =>
        voiding(() => {
          const rows = sql.exec(
            "UPDATE requests SET status = 'voided' WHERE authorisation_id = ? RETURNING number",
            authorisationId,
          );
          return rows.length > 0 ? "voided" : "unknown";
        }),

      voidKey: async ({ idempotencyKey }) =>
        voiding(() => {
          sql.exec(
            `INSERT INTO requests (idempotency_key, status) VALUES (?, 'voided')
             ON CONFLICT (idempotency_key) DO UPDATE SET status = 'voided'`,
            idempotencyKey,
          );
          return "voided";
        }),

      behave: async (next) => behaviour.set(next),
      behaviour: async () => behaviour.get(),
      list: async (page) => listed(sql, page),
    },
  };
};

const answerAgain = (known: RequestRow, asked: AuthorisationRequest) => {
  const same =
    known.order_id === null ||
    (known.order_id === asked.orderId && known.amount === asked.amount && known.currency === asked.currency);
  if (!same) return { outcome: "key_reused" as const };
  if (known.status !== "live") return { outcome: known.status };
  return { outcome: "authorised" as const, authorisationId: known.authorisation_id ?? "" };
};

const behaviourTable = (sql: ActorSql) => {
  type Row = { mode: Behaviour["mode"]; delay_ms: number | null; remaining: number | null };
  const row = (): Row =>
    sql.exec<Row>("SELECT mode, delay_ms, remaining FROM behaviour")[0] ?? {
      mode: "approve",
      delay_ms: null,
      remaining: null,
    };
  const get = (): Behaviour => {
    const { mode, delay_ms, remaining } = row();
    return {
      mode,
      ...(delay_ms !== null && { delayMs: delay_ms }),
      ...(remaining !== null && { times: remaining }),
    };
  };
  const set = ({ mode, delayMs, times }: Behaviour): Behaviour => {
    sql.exec(
      "INSERT OR REPLACE INTO behaviour (id, mode, delay_ms, remaining) VALUES (1, ?, ?, ?)",
      mode,
      mode === "slow" ? (delayMs ?? DELAY_MS_DEFAULT) : null,
      times ?? null,
    );
    return get();
  };
  return {
    get,
    set,
    /** How one request is met; counts it when the mode is one of those that concern it. */
    take(concerning: readonly Behaviour["mode"][]): { mode: Behaviour["mode"]; delayMs: number } {
      const { mode, delay_ms, remaining } = row();
      if (!concerning.includes(mode)) return { mode: "approve", delayMs: 0 };
      if (remaining === 1) set({ mode: "approve" });
      else if (remaining !== null) sql.exec("UPDATE behaviour SET remaining = remaining - 1");
      return { mode, delayMs: delay_ms ?? 0 };
    },
  };
};

const listed = (
  sql: ActorSql,
  { orderId, after, limit }: { orderId?: string | undefined; after: number; limit: number },
): AuthorisationList => {
  const ofOrder = "authorisation_id IS NOT NULL AND order_id = coalesce(?, order_id)";
  const rows = sql.exec<RequestRow>(
    `SELECT * FROM requests WHERE ${ofOrder} AND number > ? ORDER BY number LIMIT ?`,
    orderId ?? null,
    after,
    limit + 1,
  );
  const [counts] = sql.exec<{ count: number; live: number }>(
    `SELECT count(*) AS count, count(*) FILTER (WHERE status = 'live') AS live FROM requests WHERE ${ofOrder}`,
    orderId ?? null,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    count: counts?.count ?? 0,
    live: counts?.live ?? 0,
    items: page.map((row) => ({
      authorisationId: row.authorisation_id ?? "",
      orderId: row.order_id ?? "",
      amount: row.amount ?? 0,
      currency: row.currency ?? "",
      status: row.status === "live" ? "live" : "voided",
      authorisedAt: row.authorised_at ?? "",
    })),
    ...(rows.length > limit && last && { next: last.number }),
  };
};
