/** Sends a GET on, conditionally where something is stored, and keeps what comes (RFC 9111 section 4.3). */
import { type Exchange, editOnward } from "../../exchange.ts";
import { type Asked, type Asking, discard } from "./asking.ts";
import { type CacheNote, noteForward } from "./cache-status.ts";
import { clientHasIt, give, hasValidator, notModified } from "./give.ts";
import { keepAnswer } from "./keep-answer.ts";
import { isError, isForOthers, mayReplaceError } from "./reuse.ts";
import { freshenedHeaders, type StoredAnswer, storedAnswer, storedHeader } from "./stored-answer.ts";
import { whyNotStored } from "./storing.ts";
import { selectorsOf } from "./variants.ts";

const CONDITIONS = ["if-none-match", "if-modified-since"] as const;

export const ask = async (asking: Asking): Promise<Response> => {
  const { visit, memory, lease, stored, reason } = asking;
  const { exchange, wishes, leaseKey } = visit;
  const validates = stored !== undefined && !wishes.noStore && hasValidator(stored);
  // Where answers are for one request only, the client's own conditions spare the service the body.
  const conditionsTaken = validates || (!wishes.noStore && !memory.leases.isPassed(leaseKey));
  if (conditionsTaken) condition(exchange, validates ? stored : undefined);
  const asked = await send(asking, conditionsTaken);
  const { status, headers } = asked.answer;

  if (memory.fellBack.has(exchange)) {
    lease.end("failed");
    return asked.answer;
  }
  if (status === 304 && validates) {
    if (isOf(stored, headers)) return freshened(asking, stored, asked);
    // It speaks of something that is not stored here, so that there is no body for it.
    memory.store.drop(visit.key, visit.header);
    condition(exchange, undefined);
    return received(asking, await send(asking, true));
  }
  const nowMs = memory.clock();
  if (stored && isError(status) && mayReplaceError(stored, wishes, nowMs)) {
    lease.end("failed");
    discard(asked.answer);
    return give(stored, exchange, {
      nowMs,
      note: { fwd: reason, fwdStatus: status, detail: "stale-if-error" },
    });
  }
  return received(asking, asked);
};

const send = async ({ visit, memory, next }: Asking, conditionsTaken: boolean): Promise<Asked> => {
  const since = memory.store.invalidations();
  const requestedAt = memory.clock();
  const answer = await next(visit.exchange);
  return { answer, times: { requestedAt, respondedAt: memory.clock() }, since, conditionsTaken };
};

/** The stored answer's validators in the place of the client's, or none. */
const condition = (exchange: Exchange, stored: StoredAnswer | undefined): void => {
  const validators = [
    stored && storedHeader(stored, "etag"),
    stored && storedHeader(stored, "last-modified"),
  ];
  CONDITIONS.forEach((name, index) => {
    const value = validators[index];
    if (value) editOnward(exchange, { kind: "set", name, value });
    else if (exchange.request.headers.has(name) || exchange.onward?.some((edit) => edit.name === name))
      editOnward(exchange, { kind: "remove", name, value: "" });
  });
};

/** Whether a 304 speaks of what is stored (section 4.3.4). */
const isOf = (stored: StoredAnswer, news: Headers): boolean => {
  const [etag, storedEtag] = [news.get("etag"), storedHeader(stored, "etag")];
  if (etag !== null && storedEtag !== null) return weak(etag) === weak(storedEtag);
  const [modified, storedModified] = [news.get("last-modified"), storedHeader(stored, "last-modified")];
  return modified === null || storedModified === null || modified === storedModified;
};

const weak = (etag: string): string => etag.replace(/^W\//, "");

const freshened = (
  { visit, memory, lease, reason }: Asking,
  stored: StoredAnswer,
  asked: Asked,
): Response => {
  const { exchange, wishes, key, header } = visit;
  const { settings, store, clock } = memory;
  const headers = freshenedHeaders(stored, asked.answer.headers);
  const always = settings.by?.headers ?? [];
  const selectors = selectorsOf(headers.get("vary"), always, header);
  const { status, body } = stored;
  const renewed = storedAnswer({ status, headers, body, selectors: selectors ?? [] }, asked.times, settings);
  const why = whyNotStored({ status, headers }, renewed, { wishes, selectors, settings });
  const isStored = why === undefined && store.put(key, renewed, { header, since: asked.since });
  if (!isStored) store.drop(key, header);
  else if (memory.tier)
    exchange.waitUntil(memory.tier.put({ route: exchange.route, key, header }, renewed, memory.clock()));
  const nowMs = clock();
  lease.end(isStored && isForOthers(renewed, nowMs) ? "shared" : "passed");
  const note: CacheNote = { fwd: reason, fwdStatus: 304, stored: isStored, ...(why && { detail: why }) };
  return give(renewed, exchange, { nowMs, note });
};

const received = (asking: Asking, asked: Asked): Response => {
  const { exchange } = asking.visit;
  const { answer, times } = asked;
  const kept = keepAnswer(asking, asked);
  const note: CacheNote = {
    fwd: asking.reason,
    stored: kept.why === undefined,
    ...(kept.why && { detail: kept.why }),
  };
  noteForward(exchange, note);
  const unread = asking.behind
    ? new Response(null)
    : asked.conditionsTaken && clientHasIt(exchange.request, answer.status, answer.headers, times.respondedAt)
      ? notModified(answer.headers)
      : undefined;
  if (!unread) return kept.toClient();
  kept.toStore();
  return unread;
};
