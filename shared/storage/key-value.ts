/** The KeyValue port: small documents, read everywhere, eventually consistent. Adapters: Workers KV, SQLite file. */

/**
 * A key is one part or more, of any well-formed Unicode, together at most 512 bytes when percent-encoded.
 * Every method throws a RangeError for a key or a lifetime that is none.
 */
export interface KeyValue {
  /** The value, or undefined when absent or expired. */
  get(key: readonly string[]): Promise<string | undefined>;
  /** Replaces what was there, its lifetime too. `ttlSeconds` of at least 60, the least that Workers KV takes. */
  put(key: readonly string[], value: string, options?: { ttlSeconds?: number }): Promise<void>;
  /** Removing what is absent is no error. */
  remove(key: readonly string[]): Promise<void>;
  /**
   * Keys under a prefix of whole parts (["a"] holds ["a","b"], neither ["a"] nor ["ab"]; [] holds all), sorted by their
   * percent-encoded parts, in ASCII order. Pages are the adapter's business.
   */
  list(prefix: readonly string[]): AsyncIterable<string[]>;
}
