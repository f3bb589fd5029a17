/** What a change makes of stored answers (RFC 9111 section 4.4). */
import { LIMITS } from "#shared/limits.ts";
import type { Exchange, Handler } from "../../exchange.ts";
import { noteForward } from "./cache-status.ts";
import type { CacheMemory } from "./visit.ts";

/** Methods that change nothing (RFC 9110 section 9.2.1); of all others it is not known. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export const isSafe = (method: string): boolean => SAFE.has(method);

/** Sends the change on; once it is made, nothing stored is given for its address, nor for those that the answer names. */
export const invalidateAfter = async (
  exchange: Exchange,
  next: Handler,
  { keyOf, store, tier }: CacheMemory,
): Promise<Response> => {
  const response = await next(exchange);
  if (response.status >= 200 && response.status < 400) {
    for (const url of changed(exchange.request.url, response.headers)) {
      if (url.length > LIMITS.cacheKeyCharacters) continue;
      const key = keyOf(url);
      store.invalidate(key);
      if (tier) exchange.waitUntil(tier.invalidate({ route: exchange.route, key }));
    }
  }
  noteForward(exchange, { fwd: "method" });
  return response;
};

/** Of another origin nothing is said: it could be anybody's. */
const changed = (url: string, headers: Headers): ReadonlySet<string> => {
  const urls = new Set([url]);
  for (const name of ["location", "content-location"]) {
    const named = headers.get(name);
    if (named === null || !URL.canParse(named, url)) continue;
    const target = new URL(named, url);
    if (target.origin === new URL(url).origin) urls.add(target.href);
  }
  return urls;
};
