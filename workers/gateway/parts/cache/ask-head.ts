/** Sends a HEAD on; what comes freshens what is stored of GET, or tells that it is outdated (RFC 9111 section 4.3.5). */
import { type Asking, discard } from "./asking.ts";
import { noteForward } from "./cache-status.ts";
import { give } from "./give.ts";
import { standIn } from "./keep-answer.ts";
import { isError, mayReplaceError } from "./reuse.ts";
import { freshenedHeaders, type StoredAnswer, storedAnswer, storedHeader } from "./stored-answer.ts";
import { whyNotStored } from "./storing.ts";
import { selectorsOf } from "./variants.ts";

export const askHead = async ({ visit, memory, next, stored, reason }: Asking): Promise<Response> => {
  const { exchange, wishes, key, header } = visit;
  const { store, settings, clock } = memory;
  const since = store.invalidations();
  const requestedAt = clock();
  const answer = await next(exchange);
  if (memory.fellBack.has(exchange)) return answer;
  const { status } = answer;
  const respondedAt = clock();
  if (stored && isError(status) && mayReplaceError(stored, wishes, respondedAt)) {
    discard(answer);
    return give(stored, exchange, {
      nowMs: respondedAt,
      note: { fwd: reason, fwdStatus: status, detail: "stale-if-error" },
    });
  }
  // What stands in says nothing of what is stored.
  const instead = standIn(exchange, answer.headers);
  if (stored && status === 200 && !wishes.noStore && !instead) {
    const headers = freshenedHeaders(stored, answer.headers);
    const selectors = selectorsOf(headers.get("vary"), settings.by?.headers ?? [], header);
    const renewed = storedAnswer(
      { status, headers, body: stored.body, selectors: selectors ?? [] },
      { requestedAt, respondedAt },
      settings,
    );
    const same = stored.status === 200 && isSame(stored, answer.headers);
    const why = whyNotStored({ status, headers }, renewed, { wishes, selectors, settings });
    if (same && why === undefined) store.put(key, renewed, { header, since });
    else store.drop(key, header);
  }
  noteForward(exchange, { fwd: reason, ...(instead && { detail: instead }) });
  return answer;
};

const isSame = (stored: StoredAnswer, news: Headers): boolean => {
  for (const name of ["etag", "last-modified"])
    if (news.get(name) !== null && news.get(name) !== storedHeader(stored, name)) return false;
  const length = news.get("content-length");
  if (length === null || news.has("content-encoding")) return true;
  return Number(length) === (stored.body?.byteLength ?? 0);
};
