/** What the cache did with a request, said to the client: `Cache-Status` (RFC 9211). */
import { type Exchange, editAnswer } from "../../exchange.ts";

/** Why a request went on to the service (section 2.2). */
export type ForwardReason = "uri-miss" | "vary-miss" | "stale" | "request" | "method" | "bypass";

export interface CacheNote {
  /** Answered without asking. */
  readonly hit?: boolean;
  readonly fwd?: ForwardReason;
  /** The service's status, where it is not the answer's. */
  readonly fwdStatus?: number;
  /** Put into the store, as far as can be said while the body is still coming. */
  readonly stored?: boolean;
  /** Answered by what an equal request was sent for. */
  readonly collapsed?: boolean;
  /** Whole seconds that the answer is still fresh; negative when it is stale. */
  readonly ttlSeconds?: number;
  /** A token: more for the operator. */
  readonly detail?: string;
}

const CACHE_NAME = "skerry";

/** One member of the field; the field is a list to which each cache on the way appends. */
export const cacheStatus = (note: CacheNote): string =>
  [
    CACHE_NAME,
    note.hit && "hit",
    note.fwd && `fwd=${note.fwd}`,
    note.fwdStatus !== undefined && `fwd-status=${note.fwdStatus}`,
    note.ttlSeconds !== undefined && `ttl=${note.ttlSeconds}`,
    note.stored && "stored",
    note.collapsed && "collapsed",
    note.detail && `detail=${note.detail}`,
  ]
    .filter(Boolean)
    .join("; ");

/** On an answer that is the service's; what the gateway says itself is no cache's matter (section 2). */
export const noteForward = (exchange: Exchange, note: CacheNote): void => {
  if (exchange.refusal) return;
  editAnswer(exchange, { kind: "append", name: "cache-status", value: cacheStatus(note) });
};
