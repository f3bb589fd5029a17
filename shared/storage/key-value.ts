/** The KeyValue port: small documents, read everywhere, eventually consistent. Adapters: Workers KV, SQLite file. */

export interface KeyValue {
  /** The value, or undefined when absent or expired. */
  get(key: readonly string[]): Promise<string | undefined>;
  /** `ttlSeconds` of at least 60, the least that Workers KV takes. */
  put(key: readonly string[], value: string, options?: { ttlSeconds?: number }): Promise<void>;
  /** Removing what is absent is no error. */
  remove(key: readonly string[]): Promise<void>;
  /** Keys under a prefix of whole parts (["a"] holds ["a","b"], not ["ab"]), sorted; pages are the adapter's business. */
  list(prefix: readonly string[]): AsyncIterable<string[]>;
}
