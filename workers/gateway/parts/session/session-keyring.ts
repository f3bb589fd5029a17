/** Seals, opens and signs what belongs to one kind of session, by AES-256-GCM and HMAC-SHA256 under keys that rotate. */
import { decodeBase64url, encodeBase64url } from "#shared/http/base64url.ts";
import type { SessionSettings } from "./session-settings.ts";

export interface SessionKeyring {
  /** The key that seals; undefined when there are none. */
  readonly firstId: string | undefined;
  /** `<key id>.<base64url of iv, ciphertext and tag>`. Only to be called when there is a key. */
  seal(text: string): Promise<string>;
  /** Undefined for whatever was not sealed for this kind of session by one of the keys. */
  open(sealed: string): Promise<{ readonly text: string; readonly keyId: string } | undefined>;
  /** `<key id>.<base64url>`: the same for the same text under the same key; undefined for a key that is not known. */
  sign(text: string, keyId: string): Promise<string | undefined>;
}

interface KeyPair {
  readonly cipher: CryptoKey;
  readonly mac: CryptoKey;
}

const IV_BYTES = 12;
const KEY_BITS = 256;

/** What is sealed is bound to the cookie's name, the group and the store: in another place it does not open. */
export const sessionKeyring = (
  settings: Pick<SessionSettings, "keys" | "name" | "group" | "store">,
): SessionKeyring => {
  const { keys, name, group, store } = settings;
  const raw = new Map(keys.map(({ id, key }) => [id, bytesOfBase64(key)]));
  const firstId = keys[0]?.id;
  // Keys, not promises of keys: a promise belongs to the request that made it.
  const pairs = new Map<string, KeyPair>();

  const pairOf = async (id: string): Promise<KeyPair | undefined> => {
    const known = pairs.get(id);
    const bytes = raw.get(id);
    if (known || !bytes) return known;
    const pair = await derivedPair(bytes);
    pairs.set(id, pair);
    return pair;
  };
  const place = (id: string) => bytesOf("session", id, name, group, store);

  return {
    firstId,
    async seal(text) {
      const id = firstId ?? "";
      const pair = await pairOf(id);
      if (!pair) throw new Error("Sealing a session: expected a key");
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const how = { name: "AES-GCM", iv, additionalData: place(id) };
      const data = await crypto.subtle.encrypt(how, pair.cipher, new TextEncoder().encode(text));
      return `${id}.${encodeBase64url(joined(iv, new Uint8Array(data)))}`;
    },
    async open(sealed) {
      const dot = sealed.indexOf(".");
      const keyId = sealed.slice(0, Math.max(0, dot));
      const pair = await pairOf(keyId);
      const bytes = pair && decodeBase64url(sealed.slice(dot + 1));
      if (!pair || !bytes || bytes.length <= IV_BYTES) return undefined;
      const how = { name: "AES-GCM", iv: bytes.slice(0, IV_BYTES), additionalData: place(keyId) };
      try {
        const plain = await crypto.subtle.decrypt(how, pair.cipher, bytes.slice(IV_BYTES));
        return { text: new TextDecoder().decode(plain), keyId };
      } catch {
        return undefined;
      }
    },
    async sign(text, keyId) {
      const pair = await pairOf(keyId);
      if (!pair) return undefined;
      const signature = await crypto.subtle.sign("HMAC", pair.mac, bytesOf("csrf", keyId, name, group, text));
      return `${keyId}.${encodeBase64url(new Uint8Array(signature))}`;
    },
  };
};

/** JSON keeps apart where one part ends. */
const bytesOf = (...parts: readonly string[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new TextEncoder().encode(JSON.stringify(parts)));

const bytesOfBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
};

/** One key is never used for two purposes: each purpose has its own, derived by HKDF-SHA256 (RFC 5869). */
const derivedPair = async (bytes: Uint8Array<ArrayBuffer>): Promise<KeyPair> => {
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits"]);
  const derived = (purpose: string): Promise<ArrayBuffer> => {
    const info = bytesOf("skerry", "session", purpose);
    return crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
      root,
      KEY_BITS,
    );
  };
  const [cipher, mac] = await Promise.all([derived("seal"), derived("csrf")]);
  return {
    cipher: await crypto.subtle.importKey("raw", cipher, "AES-GCM", false, ["encrypt", "decrypt"]),
    mac: await crypto.subtle.importKey("raw", mac, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  };
};
