/** Puts an answer into the store while it goes where it goes. */
import type { Exchange } from "../../exchange.ts";
import { type Asked, type Asking, discard } from "./asking.ts";
import { bodyKeptAside, type KeepAside, readAside } from "./body-kept-aside.ts";
import { isForOthers } from "./reuse.ts";
import { type StoredAnswer, storedAnswer } from "./stored-answer.ts";
import { whyNotStored } from "./storing.ts";
import { selectorsOf } from "./variants.ts";

/** To be given to a client or to nobody, one of both, once. */
export interface KeptAnswer {
  /** Why it is not stored; undefined: it is, once its body is whole. */
  readonly why: string | undefined;
  toClient(): Response;
  toStore(): void;
}

/** They say nothing of what others may get, nor of what is stored already. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  "caller",
  "cookie",
  "request-no-store",
  "refusal",
  "fallback",
]);

export const keepAnswer = (asking: Asking, asked: Asked): KeptAnswer => {
  const { visit, memory, lease } = asking;
  const { answer, times, since } = asked;
  const { exchange, wishes, key, header } = visit;
  const { settings, store, clock } = memory;
  const { status, headers, body } = answer;
  const selectors = selectorsOf(headers.get("vary"), settings.by?.headers ?? [], header);
  const kept = (bytes: StoredAnswer["body"]): StoredAnswer =>
    storedAnswer({ status, headers, body: bytes, selectors: selectors ?? [] }, times, settings);
  const draft = kept(null);
  const why =
    standIn(exchange, headers) ?? whyNotStored({ status, headers }, draft, { wishes, selectors, settings });

  if (why !== undefined) {
    // What stands in, or fails, says nothing of what the service will answer next.
    lease.end(status >= 500 || why === "fallback" ? "failed" : "passed");
    if (status < 500 && !OF_THE_REQUEST.has(why)) store.drop(key, header);
    return { why, toClient: () => answer, toStore: () => discard(answer) };
  }
  const put = (whole: StoredAnswer): void => {
    const isStored = store.put(key, whole, { header, since });
    if (isStored && memory.tier)
      exchange.waitUntil(memory.tier.put({ route: exchange.route, key, header }, whole, clock()));
    lease.end(isStored && isForOthers(whole, clock()) ? "shared" : "passed");
  };
  if (body === null) {
    put(draft);
    return { why, toClient: () => answer, toStore: () => undefined };
  }
  const aside: KeepAside = {
    bytesMax: settings.entryBytesMax,
    fill: memory.room.enter(),
    promisedBytes: promisedBytes(headers),
    whole: (bytes) => put(kept(bytes)),
    lost: (how) => lease.end(how === "too_large" ? "passed" : "failed"),
  };
  return {
    why,
    toClient: () => new Response(bodyKeptAside(body, aside), answer),
    toStore: () => exchange.waitUntil(readAside(body, aside)),
  };
};

/** Not the service's own answer, though it may look as if it were. */
export const standIn = (exchange: Exchange, headers: Headers): string | undefined =>
  exchange.refusal ? "refusal" : headers.has("skerry-fallback") ? "fallback" : undefined;

/** Of an encoded body the platform hands out the decoded bytes: nothing was promised of their number. */
const promisedBytes = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
};
