/** Answers made of what is stored, also to clients that have it already (RFC 9111 section 4.3.2, RFC 9110 section 13). */
import { ifNoneMatchHolds } from "#shared/http/etag.ts";
import type { Exchange } from "../../exchange.ts";
import { type CacheNote, cacheStatus } from "./cache-status.ts";
import { parseHttpDate } from "./http-date.ts";
import { ageOf } from "./reuse.ts";
import { type StoredAnswer, storedHeader } from "./stored-answer.ts";

/** What a 304 does not repeat: it describes a body that is not there (RFC 9110 section 15.4.5). */
const OF_THE_BODY = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-range",
  "content-length",
];

/** 200, or what else is stored, or 304; without body to HEAD. `Age`, `Cache-Status` and the request's name are set. */
export const give = (
  stored: StoredAnswer,
  { request, requestId }: Pick<Exchange, "request" | "requestId">,
  { nowMs, note }: { readonly nowMs: number; readonly note: CacheNote },
): Response => {
  const headers = new Headers();
  for (const [name, value] of stored.headers) headers.append(name, value);
  const ageMs = ageOf(stored, nowMs);
  const ttlSeconds = Math.floor((stored.lifetimeMs - ageMs) / 1_000);
  headers.set("age", `${Math.floor(ageMs / 1_000)}`);
  headers.append("cache-status", cacheStatus({ ...note, ttlSeconds }));
  headers.set("x-request-id", requestId);
  if (clientHasIt(request, stored.status, headers, stored.respondedAt)) return notModified(headers);
  const { status, body } = stored;
  if (request.method !== "HEAD") return new Response(body, { status, headers });
  // A body that is encoded is kept as its platform hands it out, decoded: its length on the wire is not known.
  if (body !== null && !headers.has("content-encoding")) headers.set("content-length", `${body.byteLength}`);
  return new Response(null, { status, headers });
};

/** `If-None-Match` goes before `If-Modified-Since`; conditions mean nothing beside what would not be a 200. */
export const clientHasIt = (
  request: Pick<Request, "headers">,
  status: number,
  answer: Pick<Headers, "get">,
  respondedAt: number,
): boolean => {
  if (status !== 200) return false;
  const noneMatch = request.headers.get("if-none-match");
  const etag = answer.get("etag");
  if (noneMatch !== null)
    return noneMatch.trim() === "*" || (etag !== null && ifNoneMatchHolds(noneMatch, etag));
  const since = parseHttpDate(request.headers.get("if-modified-since"), respondedAt);
  if (since === undefined) return false;
  const modified =
    parseHttpDate(answer.get("last-modified"), respondedAt) ??
    parseHttpDate(answer.get("date"), respondedAt) ??
    respondedAt;
  return modified <= since;
};

export const notModified = (answer: Headers): Response => {
  const headers = new Headers(answer);
  for (const name of OF_THE_BODY) headers.delete(name);
  if (headers.has("etag")) headers.delete("last-modified");
  return new Response(null, { status: 304, headers });
};

/** Whether the service could say that it still holds. */
export const hasValidator = (stored: StoredAnswer): boolean =>
  storedHeader(stored, "etag") !== null || storedHeader(stored, "last-modified") !== null;
