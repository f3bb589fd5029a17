/** The platform's cache of one location as the second tier; it takes part in no request that the isolate can answer. */
import type { AnswerCache } from "./second-tier.ts";

const CACHE_NAME = "skerry-answers";

/** @param caches the platform's `caches`; each call opens it anew, for what is opened belongs to a request */
export const locationCache = (caches: Pick<CacheStorage, "open">): AnswerCache => ({
  match: async (request) => (await caches.open(CACHE_NAME)).match(request),
  put: async (request, response) => (await caches.open(CACHE_NAME)).put(request, response),
  delete: async (request) => (await caches.open(CACHE_NAME)).delete(request),
});
