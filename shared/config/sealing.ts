/** Seals texts by AES-256-GCM, bound to their place, under keys that can be rotated; the same in every runtime with Web Crypto. */
import { decodeBase64url, encodeBase64url } from "../http/base64url.ts";
import { LIMITS } from "../limits.ts";

/** A sealed text; all of it is authenticated together with the place. */
export interface Sealed {
  /** Id of the key that opens it. */
  readonly key: string;
  /** 96 random bits, base64url. */
  readonly iv: string;
  /** Ciphertext and tag, base64url. */
  readonly data: string;
  /** 12 hexadecimal digits: the same for the same text at the same place under the same key, and nothing to test guesses by. */
  readonly fingerprint: string;
}

export interface Sealer {
  /** The key that seals. */
  readonly keyId: string;
  /** Rejects with a {@link SealingError} for a text of more than `LIMITS.secretCharacters`. */
  seal(text: string, place: string): Promise<Sealed>;
  /** Rejects with a {@link SealingError} for whatever was not sealed at this place by one of the keys. */
  open(sealed: Sealed, place: string): Promise<string>;
}

/** Says what was attempted; never holds a key or a text. */
export class SealingError extends Error {
  override readonly name = "SealingError";
}

interface RawKey {
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface KeyPair {
  readonly cipher: CryptoKey;
  readonly mac: CryptoKey;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const FINGERPRINT_BYTES = 6;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** JSON keeps apart what UTF-8 alone does not: lone surrogates, and where one part ends. */
const bytesOf = (...parts: readonly string[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new TextEncoder().encode(JSON.stringify(parts)));

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const keyBytes = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return bytes.length === KEY_BYTES && toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
};

const parseKey = (entry: string, position: number): RawKey => {
  const colon = entry.indexOf(":");
  const id = entry.slice(0, Math.max(colon, 0));
  // What is not an id is not shown: it may be the key itself.
  if (!KEY_ID.test(id)) {
    throw new SealingError(
      `key ${position + 1} of the sealing keys has no id: expected "<id>:<base64 of 32 bytes>"`,
    );
  }
  const bytes = keyBytes(entry.slice(colon + 1));
  if (!bytes) {
    throw new SealingError(
      `key "${id}" of the sealing keys cannot be read: expected "${id}:<base64 of 32 bytes>"`,
    );
  }
  return { id, bytes };
};

const parseKeys = (keys: string): readonly [RawKey, ...RawKey[]] => {
  const parsed = keys
    .split(",", LIMITS.sealingKeys + 1)
    .map((entry, position) => parseKey(entry.trim(), position));
  if (parsed.length > LIMITS.sealingKeys) {
    throw new SealingError(`expected at most ${LIMITS.sealingKeys} sealing keys`);
  }
  const ids = parsed.map((key) => key.id);
  const twice = ids.find((id, position) => ids.indexOf(id) !== position);
  if (twice)
    throw new SealingError(`key "${twice}" stands twice in the sealing keys: expected different ids`);
  return parsed as [RawKey, ...RawKey[]];
};

/** One key is never used for two purposes: each purpose has its own, derived by HKDF-SHA256 (RFC 5869). */
const derived = async (key: RawKey, ...purpose: readonly string[]): Promise<Uint8Array<ArrayBuffer>> => {
  const root = await crypto.subtle.importKey("raw", key.bytes, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytesOf("skerry", ...purpose) };
  return new Uint8Array(await crypto.subtle.deriveBits(how, root, KEY_BYTES * 8));
};

const importPair = async (key: RawKey): Promise<KeyPair> => {
  const [cipher, mac] = await Promise.all([derived(key, "seal"), derived(key, "fingerprint")]);
  return {
    cipher: await crypto.subtle.importKey("raw", cipher, "AES-GCM", false, ["encrypt", "decrypt"]),
    mac: await crypto.subtle.importKey("raw", mac, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  };
};

const fingerprintOf = async (mac: CryptoKey, text: string, place: string): Promise<string> => {
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", mac, bytesOf(place, text)));
  return Array.from(signature.subarray(0, FINGERPRINT_BYTES), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
};

const decrypt = async (cipher: CryptoKey, sealed: Sealed, place: string): Promise<string | undefined> => {
  const iv = decodeBase64url(sealed.iv);
  const data = decodeBase64url(sealed.data);
  if (iv?.length !== IV_BYTES || !data) return undefined;
  const additionalData = bytesOf(sealed.key, place, sealed.fingerprint);
  try {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, cipher, data);
    return (JSON.parse(new TextDecoder().decode(plain)) as [string])[0];
  } catch {
    return undefined;
  }
};

/**
 * Seals by the first of `keys` ("k2:<base64 of 32 bytes>,k1:<base64>") and opens by all of them.
 * Throws a {@link SealingError} when `keys` does not have that form.
 */
export const sealer = ({ keys }: { readonly keys: string }): Sealer => {
  const known = parseKeys(keys);
  const [first] = known;
  // Keys, not promises of keys: a promise belongs to the request that made it.
  const pairs = new Map<string, KeyPair>();

  const pairOf = async (key: RawKey): Promise<KeyPair> => {
    const pair = pairs.get(key.id) ?? (await importPair(key));
    pairs.set(key.id, pair);
    return pair;
  };

  return {
    keyId: first.id,
    seal: async (text, place) => {
      if (text.length > LIMITS.secretCharacters) {
        throw new SealingError(
          `the text for "${place}" cannot be sealed: expected at most ${LIMITS.secretCharacters} characters`,
        );
      }
      const { cipher, mac } = await pairOf(first);
      const fingerprint = await fingerprintOf(mac, text, place);
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const additionalData = bytesOf(first.id, place, fingerprint);
      const data = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv, additionalData },
        cipher,
        bytesOf(text),
      );
      return {
        key: first.id,
        iv: encodeBase64url(iv),
        data: encodeBase64url(new Uint8Array(data)),
        fingerprint,
      };
    },
    open: async (sealed, place) => {
      const key = known.find(({ id }) => id === sealed.key);
      if (!key) {
        throw new SealingError(
          `the value at "${place}" cannot be opened: its key "${sealed.key}" is not known`,
        );
      }
      const text = await decrypt((await pairOf(key)).cipher, sealed, place);
      if (text === undefined) {
        throw new SealingError(
          `the value at "${place}" cannot be opened: it was not sealed there by key "${key.id}"`,
        );
      }
      return text;
    },
  };
};

/** `keys` for one service alone, in the same form and order: from them neither `keys` nor another service's can be found. */
export const serviceKeys = async (keys: string, service: string): Promise<string> => {
  const own = async (key: RawKey) => `${key.id}:${toBase64(await derived(key, "service", service))}`;
  return (await Promise.all(parseKeys(keys).map(own))).join(",");
};

/** A fresh random key under `id`, in the form of `keys`. Throws a {@link SealingError} for what is no id. */
export const newKey = (id: string): string => {
  if (!KEY_ID.test(id)) {
    throw new SealingError(
      `a key cannot be called "${id}": expected letters, digits, ".", "_" and "-", at most 32`,
    );
  }
  return `${id}:${toBase64(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))}`;
};
