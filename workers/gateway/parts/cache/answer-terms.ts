/** What an answer says of its own storing and reuse, worked out once, when it comes (RFC 9111 sections 3, 4.2 and 5.2). */
import { type CacheControl, parseCacheControl, secondsOf } from "./cache-control.ts";
import type { CacheSettings } from "./cache-settings.ts";
import { parseHttpDate } from "./http-date.ts";

export interface AnswerTerms {
  readonly directives: CacheControl;
  /** How old it was when it came, in milliseconds (`corrected_initial_age`). */
  readonly initialAgeMs: number;
  /** Fresh while it is younger (section 4.2.1). */
  readonly lifetimeMs: number;
  /** To be validated before each use: `no-cache`. */
  readonly validateAlways: boolean;
  /** How long beyond its lifetime it may be given while a newer one is fetched; 0: never. */
  readonly whileRevalidateMs: number;
  /** How long beyond its lifetime it may be given in the place of an error; 0: never. */
  readonly ifErrorMs: number;
  /** Whether anything else may make it be given stale: `max-stale` of a client, a fallback. */
  readonly staleAtAll: boolean;
  /** May be kept from and given to requests of known callers (section 3.5). */
  readonly forCallers: boolean;
  /** It says `public`. */
  readonly isPublic: boolean;
}

export interface AnswerTimes {
  /** Milliseconds since the epoch at which the request was sent and the answer had come. */
  readonly requestedAt: number;
  readonly respondedAt: number;
}

/** Statuses that may be fresh without saying so (RFC 9110 section 15.1), without the 206 that is never kept. */
export const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501,
]);

const DAY_MS = 24 * 60 * 60 * 1_000;

export const answerTerms = (
  { status, headers }: { readonly status: number; readonly headers: Headers },
  times: AnswerTimes,
  settings: CacheSettings,
): AnswerTerms => {
  const directives = parseCacheControl(headers.get("cache-control"));
  const dateMs = parseHttpDate(headers.get("date"), times.respondedAt) ?? times.respondedAt;
  const validateAlways = directives.has("no-cache");
  const strict = validateAlways || directives.has("must-revalidate") || directives.has("proxy-revalidate");
  const sMaxAge = directives.has("s-maxage");
  // `s-maxage` forbids stale answers as `proxy-revalidate` does (section 5.2.2.10); an answer that names a time for them
  // beside it means that time.
  const stale = (name: string, otherwiseSeconds: number): number =>
    strict ? 0 : 1_000 * (secondsOf(directives, name) ?? (sMaxAge ? 0 : otherwiseSeconds));
  return {
    directives,
    initialAgeMs: initialAge(headers, dateMs, times),
    lifetimeMs: lifetime({ status, headers, directives, dateMs }, times, settings),
    validateAlways,
    whileRevalidateMs: stale("stale-while-revalidate", settings.staleWhileRevalidateSeconds),
    ifErrorMs: stale("stale-if-error", settings.staleIfErrorSeconds),
    staleAtAll: !strict && !sMaxAge,
    forCallers: directives.has("public") || sMaxAge || directives.has("must-revalidate"),
    isPublic: directives.has("public"),
  };
};

/** Section 4.2.3; `Date` counts whole seconds, so that what is left of the clock's is no age. */
const initialAge = (headers: Headers, dateMs: number, { requestedAt, respondedAt }: AnswerTimes): number => {
  const apparentMs = Math.max(0, Math.floor(respondedAt / 1_000) * 1_000 - dateMs);
  const told = headers.get("age")?.split(",")[0]?.trim() ?? "";
  const toldMs = /^\d+$/.test(told) ? Math.min(Number(told), 2 ** 31) * 1_000 : 0;
  return Math.max(apparentMs, toldMs + Math.max(0, respondedAt - requestedAt));
};

interface Dated {
  readonly status: number;
  readonly headers: Headers;
  readonly directives: CacheControl;
  readonly dateMs: number;
}

/** The first that is said: `s-maxage`, `max-age`, `Expires`; else what the settings give to those that say nothing. */
const lifetime = (answer: Dated, { respondedAt }: AnswerTimes, settings: CacheSettings): number => {
  const { status, headers, directives, dateMs } = answer;
  const seconds = secondsOf(directives, "s-maxage") ?? secondsOf(directives, "max-age");
  if (seconds !== undefined) return seconds * 1_000;
  const expires = headers.get("expires");
  // What is no date has passed (section 5.3).
  if (expires !== null) return Math.max(0, (parseHttpDate(expires, respondedAt) ?? 0) - dateMs);
  if (!HEURISTIC_STATUSES.has(status) && !directives.has("public")) return 0;
  if (settings.ttlSeconds !== undefined) return settings.ttlSeconds * 1_000;
  const modified = parseHttpDate(headers.get("last-modified"), respondedAt);
  if (settings.heuristicShare === undefined || modified === undefined) return 0;
  return Math.min(DAY_MS, Math.max(0, dateMs - modified) * settings.heuristicShare);
};
