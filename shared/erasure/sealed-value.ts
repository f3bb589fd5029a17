/** One personal value as it stands in the log: sealed by AES-256-GCM under its subject's key, bound to its place. */
import { decodeBase64url, encodeBase64url } from "../http/base64url.ts";

/** The key of one data subject. */
export interface SubjectKey {
  /** Eight characters of base64url; another key of the same subject has another. */
  readonly id: string;
  readonly key: CryptoKey;
}

/** Where a value stands; one that was sealed elsewhere does not open there. */
export interface SealedPlace {
  readonly aggregate: { readonly type: string; readonly id: string };
  readonly eventId: string;
  readonly type: string;
  readonly path: readonly string[];
}

export const KEY_BYTES = 32;
const IV_BYTES = 12;
/** The form, the key's id, then iv, ciphertext and tag. */
const SEALED = /^sealed:1:([A-Za-z0-9_-]{8}):([A-Za-z0-9_-]+)$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const utf8 = (json: unknown): Uint8Array<ArrayBuffer> => new Uint8Array(encoder.encode(JSON.stringify(json)));

const boundTo = ({ aggregate, eventId, type, path }: SealedPlace): Uint8Array<ArrayBuffer> =>
  utf8(["skerry personal", aggregate.type, aggregate.id, eventId, type, path]);

/** @param bytes `KEY_BYTES` random ones */
export const subjectKey = async (id: string, bytes: Uint8Array<ArrayBuffer>): Promise<SubjectKey> => ({
  id,
  key: await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]),
});

/** @param value JSON */
export const sealValue = async (value: unknown, { id, key }: SubjectKey, place: SealedPlace) => {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const how = { name: "AES-GCM", iv, additionalData: boundTo(place) };
  const data = new Uint8Array(await crypto.subtle.encrypt(how, key, utf8(value)));
  const whole = new Uint8Array(IV_BYTES + data.length);
  whole.set(iv);
  whole.set(data, IV_BYTES);
  return `sealed:1:${id}:${encodeBase64url(whole)}`;
};

/**
 * The value again; null when it was sealed under another key, which is gone then, and for what was never sealed.
 * @throws Error for what was sealed at another place, or changed since
 */
export const openValue = async (
  sealed: unknown,
  subjectKey: SubjectKey | undefined,
  place: SealedPlace,
): Promise<unknown> => {
  const [, keyId, text = ""] = (typeof sealed === "string" && sealed.match(SEALED)) || [];
  if (subjectKey === undefined || keyId !== subjectKey.id) return null;
  const whole = decodeBase64url(text) ?? new Uint8Array();
  const how = { name: "AES-GCM", iv: whole.slice(0, IV_BYTES), additionalData: boundTo(place) };
  try {
    const clear = await crypto.subtle.decrypt(how, subjectKey.key, whole.slice(IV_BYTES));
    return JSON.parse(decoder.decode(clear));
  } catch {
    throw new Error(
      `Cannot open "${place.path.join(".")}" of the event "${place.eventId}": expected what was sealed there`,
    );
  }
};
