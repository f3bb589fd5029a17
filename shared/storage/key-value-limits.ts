/** What every KeyValue adapter does to keys and lifetimes, so that all of them take and refuse the same. */

/** Longest key that Workers KV takes, after encoding. */
const KEY_BYTES_MAX = 512;

/** Shortest lifetime that Workers KV takes. */
const TTL_SECONDS_MIN = 60;

const SEPARATOR = "/";

/** Stands for an empty part; percent-encoding never writes it alone. */
const EMPTY = "%";

/**
 * One text for a key, from which {@link decodeKey} gets the same parts back: no part can hold a separator, be lost
 * by being empty, or make the whole a name that Workers KV keeps for itself ("." and "..").
 * @throws RangeError for a key without parts, with half a surrogate pair, or longer than 512 bytes
 */
export const encodeKey = (key: readonly string[]): string => {
  const text = encodeParts(key);
  if (key.length === 0) throw new RangeError("Encoding a key: it has no parts; expected at least one");
  if (text.length > KEY_BYTES_MAX) {
    throw new RangeError(
      `Encoding the key "${text.slice(0, 64)}…": it has ${text.length} bytes; expected at most ${KEY_BYTES_MAX}`,
    );
  }
  return text;
};

/** What the encoded keys under a prefix begin with; empty for the empty prefix. */
export const encodePrefix = (prefix: readonly string[]): string =>
  prefix.length === 0 ? "" : encodeParts(prefix) + SEPARATOR;

export const decodeKey = (text: string): string[] =>
  text.split(SEPARATOR).map((part) => (part === EMPTY ? "" : decodeURIComponent(part)));

/** @throws RangeError below 60 seconds or for a fraction */
export const checkTtl = (ttlSeconds: number | undefined): void => {
  if (ttlSeconds === undefined || (Number.isSafeInteger(ttlSeconds) && ttlSeconds >= TTL_SECONDS_MIN)) return;
  throw new RangeError(
    `Keeping a value for "${ttlSeconds}" seconds: expected a whole number of at least ${TTL_SECONDS_MIN}`,
  );
};

const encodeParts = (parts: readonly string[]): string => parts.map(encodePart).join(SEPARATOR);

const encodePart = (part: string): string => {
  if (part === "") return EMPTY;
  if (part === "." || part === "..") return part.replaceAll(".", "%2E");
  if (!part.isWellFormed()) {
    throw new RangeError(`Encoding the key part "${part.toWellFormed()}": expected well-formed Unicode`);
  }
  return encodeURIComponent(part);
};
