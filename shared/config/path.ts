/** How a place in a document is written. */

/** "cache.ttlSeconds"; a dot or backslash of a key itself has a backslash before it, so that no two places look alike. */
export const dottedPath = (keys: readonly string[]): string =>
  keys.map((key) => key.replace(/[\\.]/g, "\\$&")).join(".");
