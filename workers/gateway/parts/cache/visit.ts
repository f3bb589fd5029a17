/** One request at the cache: what it asks for, and what the store has for it. */
import { LIMITS } from "#shared/limits.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Exchange } from "../../exchange.ts";
import type { AnswerStore } from "./answer-store.ts";
import type { CacheKey } from "./cache-key.ts";
import type { CacheSettings } from "./cache-settings.ts";
import type { Coalescing } from "./coalescing.ts";
import type { FillRoom } from "./fill-room.ts";
import { type RequestWishes, requestWishes } from "./request-wishes.ts";
import { type Reuse, reuseOf } from "./reuse.ts";
import type { SecondTier } from "./second-tier.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import { maySee } from "./storing.ts";
import { destinationOf, type SelectingHeader, selectingHeaders } from "./variants.ts";

/** What a route's cache keeps between requests. */
export interface CacheMemory {
  readonly settings: CacheSettings;
  readonly clock: Clock;
  readonly keyOf: CacheKey;
  readonly store: AnswerStore;
  readonly room: FillRoom;
  readonly leases: Coalescing;
  /** Undefined where answers are kept in the isolate alone. */
  readonly tier: SecondTier | undefined;
  /** Exchanges that were given a stored answer as a fallback: it is not stored again. */
  readonly fellBack: WeakSet<Exchange>;
}

export interface Visit {
  readonly exchange: Exchange;
  readonly key: string;
  readonly header: SelectingHeader;
  readonly wishes: RequestWishes;
  /** Requests of known callers or with cookies wait for none of the others, and none of those for them. */
  readonly leaseKey: string;
}

export interface Finding {
  /** What could be validated, where it cannot be given. */
  readonly stored: StoredAnswer | undefined;
  readonly reuse: Reuse;
}

export const visitOf = (exchange: Exchange, { settings, keyOf }: CacheMemory): Visit => {
  const wishes = requestWishes(exchange, settings);
  const key = keyOf(exchange.request.url);
  const header = selectingHeaders(exchange);
  const apart = (settings.by?.headers ?? []).map((name) => header(name.toLowerCase()) ?? null);
  const whose = `${wishes.ofCaller ? "caller" : ""}${wishes.withCookies ? "cookies" : ""}`;
  const kind = `${whose} ${destinationOf(exchange)}`;
  const leaseKey = apart.length === 0 ? `${kind} ${key}` : `${kind} ${key} ${JSON.stringify(apart)}`;
  return { exchange, key, header, wishes, leaseKey };
};

/** By the isolate's memory alone. */
export const lookUp = ({ key, header, wishes }: Visit, { store, clock }: CacheMemory): Finding => {
  const stored = store.find(key, header);
  if (!stored)
    return {
      stored: undefined,
      reuse: { kind: "ask", reason: store.has(key, header) ? "vary-miss" : "uri-miss" },
    };
  if (!maySee(stored, wishes)) return { stored: undefined, reuse: { kind: "ask", reason: "request" } };
  return { stored, reuse: reuseOf(stored, wishes, clock()) };
};

/** Why the store has nothing to do with a request, as a token; undefined: it has. */
export const whyBypassed = (
  { method, headers, body, url }: Request,
  { methods }: Pick<CacheSettings, "methods">,
): string | undefined => {
  if (!methods.some((known) => known === method)) return "method-off";
  if (body !== null) return "body";
  if (url.length > LIMITS.cacheKeyCharacters) return "long-address";
  return NOT_FROM_STORES.find((name) => headers.has(name));
};

/** What only the service can say, or what is no plain answer. */
const NOT_FROM_STORES = [
  "range",
  "if-match",
  "if-unmodified-since",
  "if-range",
  "upgrade",
  // Whoever has written wants to read it, and what is stored may be older.
  "skerry-min-position",
];
