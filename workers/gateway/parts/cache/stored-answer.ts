/** An answer as it is kept, in plain data: nothing in it belongs to the request that brought it. */
import { type AnswerTerms, type AnswerTimes, answerTerms } from "./answer-terms.ts";
import type { CacheSettings } from "./cache-settings.ts";
import { httpDate, parseHttpDate } from "./http-date.ts";
import type { Selector } from "./variants.ts";

export interface StoredAnswer extends AnswerTerms {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly selectors: readonly Selector[];
  /** Milliseconds since the epoch at which it had come, or was last found to be still true. */
  readonly respondedAt: number;
  /** What it takes of the store's memory, as far as can be counted. */
  readonly bytes: number;
}

/** An object with its maps and arrays, beside what is counted. */
const OVERHEAD_BYTES = 1_024;

/** Of one connection (RFC 9111 section 3.1), of one request, or worked out anew for each answer. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  "age",
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "ratelimit",
  "server-timing",
  "set-cookie",
  "skerry-config",
  "skerry-epoch",
  "te",
  "traceresponse",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
]);

/** What describes the bytes that are kept, and does not change with a 304 (section 3.2). */
const OF_THE_BODY: ReadonlySet<string> = new Set(["content-encoding", "content-range", "content-type"]);

export const storedAnswer = (
  answer: {
    readonly status: number;
    readonly headers: Headers;
    readonly body: Uint8Array<ArrayBuffer> | null;
    readonly selectors: readonly Selector[];
  },
  times: AnswerTimes,
  settings: CacheSettings,
): StoredAnswer => {
  const { status, body, selectors } = answer;
  const headers = keptHeaders(answer.headers);
  // Without a date that can be read its age would be unknown to who gets it (RFC 9110 section 6.6.1).
  if (parseHttpDate(answer.headers.get("date"), times.respondedAt) === undefined)
    headers.set("date", httpDate(times.respondedAt));
  const listed = [...headers];
  return {
    ...answerTerms(answer, times, settings),
    status,
    headers: listed,
    body,
    selectors,
    respondedAt: times.respondedAt,
    bytes: OVERHEAD_BYTES + (body?.byteLength ?? 0) + charactersOf(listed) + charactersOf(selectors),
  };
};

/** The headers of a 304, or of a HEAD's answer, put to what is stored (sections 3.2, 4.3.4 and 4.3.5). */
export const freshenedHeaders = (stored: StoredAnswer, news: Headers): Headers => {
  const headers = new Headers();
  for (const [name, value] of stored.headers) headers.append(name, value);
  const kept = [...keptHeaders(news)].filter(([name]) => !OF_THE_BODY.has(name));
  for (const [name] of kept) headers.delete(name);
  for (const [name, value] of kept) headers.append(name, value);
  // It was found to be true when the news came, which the old date would deny.
  if (!news.has("date")) headers.delete("date");
  const age = news.get("age");
  if (age !== null) headers.set("age", age);
  return headers;
};

export const storedHeader = (stored: Pick<StoredAnswer, "headers">, name: string): string | null =>
  stored.headers.find(([known]) => known === name)?.[1] ?? null;

const keptHeaders = (from: Headers): Headers => {
  const nominated = new Set(
    (from.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase()),
  );
  const headers = new Headers();
  for (const [name, value] of from)
    if (!NOT_KEPT.has(name) && !nominated.has(name)) headers.append(name, value);
  return headers;
};

/** A text in memory has up to two bytes a character. */
const charactersOf = (pairs: readonly (readonly [string, string | undefined])[]): number =>
  pairs.reduce((sum, [name, value]) => sum + 2 * (name.length + (value?.length ?? 0)), 0);
