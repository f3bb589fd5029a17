/** API keys: `sk_<id>_<random>`, told apart by their id and kept as digests only. */
import { decodeBase64url, encodeBase64url } from "../http/base64url.ts";

export interface NewApiKey {
  /** For its owner, shown once: nobody can find it again. */
  readonly key: string;
  /** For the configuration: SHA-256 of the key, base64url. */
  readonly hash: string;
}

const RANDOM_BYTES = 32;
const ID = /^[A-Za-z0-9-]{1,64}$/;
const KEY = /^sk_([A-Za-z0-9-]{1,64})_[A-Za-z0-9_-]{43}$/;

/**
 * A key of 256 random bits: with so many no salt and no slow digest is needed.
 * @throws RangeError when the id is not 1 to 64 letters, digits and hyphens
 */
export const newApiKey = async (id: string): Promise<NewApiKey> => {
  if (!ID.test(id)) {
    throw new RangeError(
      `Making an API key of the id "${id}": expected 1 to 64 letters, digits, and hyphens`,
    );
  }
  const random = encodeBase64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));
  const key = `sk_${id}_${random}`;
  return { key, hash: encodeBase64url(await digestOf(key)) };
};

/** Undefined for what is no key at all. */
export const apiKeyId = (text: string): string | undefined => KEY.exec(text)?.[1];

export const digestOf = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

/** A digest as a configuration has it, in hexadecimal digits or base64url; undefined when it is none. */
export const readDigest = (text: string): Uint8Array | undefined => {
  if (/^[0-9a-f]{64}$/i.test(text))
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const bytes = decodeBase64url(text);
  return bytes?.length === 32 ? bytes : undefined;
};

/** Takes as long for any two digests. */
export const equalDigests = (one: Uint8Array, other: Uint8Array): boolean => {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return difference === 0;
};
