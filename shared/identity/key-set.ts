/** Key sets (RFC 7517) as they come from others: what of them can be a public key, and nothing else. */
import { LIMITS } from "../limits.ts";

/** A public key; all but `kty` may be missing or of any type, as its owner wrote it. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kty: string };

/** The same object as long as its owner publishes the same text: what was verified by it holds as long as it does. */
export interface KeySet {
  readonly keys: readonly PublicJwk[];
}

/** Members of private and of symmetric keys (RFC 7518 section 6): who publishes one of those has no secret. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/** Whether a value can be a public key; its members are still unchecked. */
export const isPublicJwk = (value: unknown): value is PublicJwk =>
  typeof value === "object" &&
  value !== null &&
  "kty" in value &&
  typeof value.kty === "string" &&
  value.kty !== "oct" &&
  !SECRET_MEMBERS.some((member) => Object.hasOwn(value, member));

/** The first `LIMITS.keySetKeys` public keys of a parsed document; undefined when it is no key set. */
export const keySetOf = (document: unknown): KeySet | undefined => {
  if (typeof document !== "object" || document === null || !("keys" in document)) return undefined;
  const { keys } = document;
  return Array.isArray(keys) ? { keys: keys.slice(0, LIMITS.keySetKeys).filter(isPublicJwk) } : undefined;
};
