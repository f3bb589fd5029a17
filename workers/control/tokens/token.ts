/** The form of bearer tokens, and the hashes by which they are kept and compared. */
import { decodeBase64url, encodeBase64url } from "#shared/http/base64url.ts";

const ID_BYTES = 9;
const SECRET_BYTES = 32;
/** The id finds the row, the secret is what only the holder has; all of it is a `b64token` (RFC 6750 section 2.1). */
const FORM = /^skerry_([A-Za-z0-9_-]{12})\.[A-Za-z0-9_-]{43}$/;

/** A token as its holder presents it, as far as it leaves the place where it was read. */
export interface PresentedToken {
  readonly id: string;
  /** SHA-256 of the whole token, base64url. */
  readonly hash: string;
}

const random = (bytes: number): string => encodeBase64url(crypto.getRandomValues(new Uint8Array(bytes)));

/** Begins with a letter: one with a dash would be an option to a command line. */
const randomId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return encodeBase64url(bytes.with(0, (bytes[0] ?? 0) & 0x7f));
};

/** SHA-256 of a text, base64url. The texts are random enough that a slower hash would protect nothing more. */
export const hashOf = async (text: string): Promise<string> =>
  encodeBase64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));

/** A fresh token; `token` is shown once and kept nowhere. */
export const newToken = async (): Promise<PresentedToken & { readonly token: string }> => {
  const id = randomId();
  const token = `skerry_${id}.${random(SECRET_BYTES)}`;
  return { id, token, hash: await hashOf(token) };
};

/** Undefined for what was never a token of ours. */
export const presentedToken = async (token: string): Promise<PresentedToken | undefined> => {
  const id = FORM.exec(token)?.[1];
  return id === undefined ? undefined : { id, hash: await hashOf(token) };
};

/** Compares two hashes in a time that does not tell how much of them is alike. */
export const sameHash = (one: string, other: string): boolean => {
  const [left, right] = [decodeBase64url(one), decodeBase64url(other)];
  if (!left || !right || left.length !== right.length) return false;
  return left.reduce((difference, byte, index) => difference | (byte ^ (right[index] ?? 0)), 0) === 0;
};
