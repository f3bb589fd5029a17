/** A newer answer for the store, while the stale one has been given (RFC 5861 section 3). */
import type { Exchange, Handler } from "../../exchange.ts";
import { ask } from "./ask.ts";
import { type CacheMemory, lookUp, type Visit, visitOf } from "./visit.ts";

export interface Around {
  readonly visit: Visit;
  readonly next: Handler;
  readonly memory: CacheMemory;
}

/** The client has its answer; one request for all of them asks for a newer one. */
export const revalidateBehind = ({ visit, next, memory }: Around): void => {
  const { exchange, leaseKey } = visit;
  const lease = memory.leases.join(leaseKey);
  if (typeof lease === "string") return;
  // The client's own signal may end it, and its conditions are its own.
  const headers = new Headers(exchange.request.headers);
  for (const name of ["if-none-match", "if-modified-since", "cache-control", "pragma"]) headers.delete(name);
  const copy: Exchange = {
    ...exchange,
    request: new Request(exchange.request.url, { headers }),
    onward: [...(exchange.onward ?? [])],
    answer: [],
    ...(exchange.timings && { timings: [] }),
  };
  const own = visitOf(copy, memory);
  const { stored } = lookUp(own, memory);
  exchange.waitUntil(
    ask({ visit: own, next, memory, lease, reason: "stale", stored, behind: true }).then(() => undefined),
  );
};
