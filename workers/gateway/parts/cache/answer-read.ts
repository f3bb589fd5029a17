/** How one GET or HEAD is answered: by the isolate, by the location, by what an equal request brings, or by the service. */
import { type Exchange, refusal } from "../../exchange.ts";
import { ask } from "./ask.ts";
import { askHead } from "./ask-head.ts";
import type { CacheNote, ForwardReason } from "./cache-status.ts";
import { type Lease, NO_LEASE } from "./coalescing.ts";
import { give } from "./give.ts";
import { type Around, revalidateBehind } from "./revalidate-behind.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import { type CacheMemory, type Finding, lookUp, type Visit } from "./visit.ts";

/** From the store where it may be, else by the service. */
export const answerRead = async (around: Around): Promise<Response> => {
  const { visit, next, memory } = around;
  const { exchange, wishes } = visit;
  let found = lookUp(visit, memory);
  if (found.reuse.kind === "ask" && found.stored === undefined && memory.tier)
    found = await recall(visit, memory);
  if (found.reuse.kind !== "ask") return giveFound(found, { hit: true }, around);
  if (wishes.onlyIfCached) return refuseUnstored(exchange);
  const { reason } = found.reuse;
  if (exchange.request.method === "HEAD")
    return askHead({ visit, next, memory, lease: NO_LEASE, reason, stored: found.stored });
  const turn = mayWait(reason, visit, memory) ? await turnOf(visit, memory) : { lease: NO_LEASE };
  if ("found" in turn) return giveFound(turn.found, { fwd: reason, collapsed: true }, around);
  const { stored } = lookUp(visit, memory);
  return ask({ visit, next, memory, lease: turn.lease, reason, stored });
};

const refuseUnstored = (exchange: Exchange): Response => {
  const path = JSON.stringify(exchange.path.slice(0, 200));
  const detail = `Looking for ${path} with "only-if-cached": expected a stored answer that may be given.`;
  return refusal(exchange, "not_stored", detail);
};

/** What the location has, taken into the isolate where it fits the request. */
const recall = async (visit: Visit, memory: CacheMemory): Promise<Finding> => {
  const { exchange, key, header } = visit;
  const since = memory.store.invalidations();
  const stored = await memory.tier?.find({ route: exchange.route, key, header });
  if (stored) memory.store.put(key, stored, { header, since });
  return lookUp(visit, memory);
};

const giveFound = ({ stored, reuse }: Finding, note: CacheNote, around: Around): Response => {
  const behind = reuse.kind === "give_and_revalidate";
  if (behind) revalidateBehind(around);
  const nowMs = around.memory.clock();
  return give(stored as StoredAnswer, around.visit.exchange, {
    nowMs,
    note: behind ? { ...note, detail: "stale-while-revalidate" } : note,
  });
};

const mayWait = (reason: ForwardReason, { wishes }: Visit, { settings }: CacheMemory): boolean =>
  settings.coalesce && reason !== "request" && !wishes.noCache && !wishes.noStore;

/** Beyond the first it is somebody else's who was sent because the first did not come back. */
const WAITS_MAX = 2;

/** This request's turn to be sent, or what an equal one was answered. */
const turnOf = async (
  visit: Visit,
  memory: CacheMemory,
): Promise<{ readonly lease: Lease } | { readonly found: Finding }> => {
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    const joined = memory.leases.join(visit.leaseKey);
    if (joined !== "wait") return { lease: joined === "alone" ? NO_LEASE : joined };
    await memory.leases.wait(visit.leaseKey, visit.exchange.request.signal);
    const found = lookUp(visit, memory);
    if (found.reuse.kind !== "ask") return { found };
  }
  const joined = memory.leases.join(visit.leaseKey);
  return { lease: typeof joined === "string" ? NO_LEASE : joined };
};
