/** KeyValue on Workers KV: a write is seen here at once, and elsewhere within a minute or so. */
import type { KeyValue } from "./key-value.ts";
import { checkTtl, decodeKey, encodeKey, encodePrefix } from "./key-value-limits.ts";

export const workersKv = (namespace: KVNamespace): KeyValue => ({
  async get(key) {
    return (await namespace.get(encodeKey(key))) ?? undefined;
  },

  async put(key, value, { ttlSeconds } = {}) {
    checkTtl(ttlSeconds);
    await namespace.put(encodeKey(key), value, ttlSeconds === undefined ? {} : { expirationTtl: ttlSeconds });
  },

  async remove(key) {
    await namespace.delete(encodeKey(key));
  },

  async *list(prefix) {
    const options = { prefix: encodePrefix(prefix) };
    let page = await namespace.list(options);
    for (;;) {
      for (const { name } of page.keys) yield decodeKey(name);
      if (page.list_complete) return;
      page = await namespace.list({ ...options, cursor: page.cursor });
    }
  },
});
