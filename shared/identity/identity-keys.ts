/** The keys behind identities: Ed25519 pairs, of which only the gateway holds the private halves. */
import { isPublicJwk, type KeySet, type PublicJwk } from "./key-set.ts";

/** An Ed25519 private key (RFC 8037 section 2). */
export interface IdentityJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly kid: string;
  readonly x: string;
  /** The private half. */
  readonly d: string;
}

/** What a key set of the gateway looks like to those who verify. */
export interface PublicJwks extends KeySet {
  readonly keys: readonly PublicJwk[];
}

const KID = /^[A-Za-z0-9._-]{1,64}$/;
const HALF = /^[A-Za-z0-9_-]{43}$/;

/** The public halves, as the gateway shows them under `/.well-known/jwks.json` and services are started with them. */
export const publicJwks = (keys: readonly IdentityJwk[]): PublicJwks => ({
  keys: keys.map(({ kty, crv, kid, x }) => ({ kty, crv, kid, x, use: "sig", alg: "EdDSA" })),
});

/**
 * Reads `{"keys": [...]}` of private keys; the first one signs.
 * @throws Error that names what is wrong and shows nothing of the text, because it holds private keys
 */
export const readPrivateKeys = (text: string): readonly [IdentityJwk, ...IdentityJwk[]] => {
  const keys = keysIn(text, "private identity keys");
  keys.forEach((key, position) => {
    if (!isIdentityJwk(key)) {
      throw new Error(
        `Reading the private identity keys: key ${position + 1} is none, expected {"kty":"OKP","crv":"Ed25519","kid","x","d"}`,
      );
    }
  });
  return keys as [IdentityJwk, ...IdentityJwk[]];
};

/**
 * Reads `{"keys": [...]}` of public keys.
 * @throws Error that names what is wrong; a private key is one, because it has no business with those who verify
 */
export const readPublicKeys = (text: string): PublicJwks => {
  const keys = keysIn(text, "public identity keys");
  keys.forEach((key, position) => {
    if (!isPublicJwk(key) || !isEd25519(key)) {
      throw new Error(
        `Reading the public identity keys: key ${position + 1} is none, expected {"kty":"OKP","crv":"Ed25519","kid","x"}`,
      );
    }
  });
  return { keys: keys as PublicJwk[] };
};

const keysIn = (text: string, what: string): unknown[] => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const keys = typeof document === "object" && document !== null && "keys" in document ? document.keys : [];
  if (Array.isArray(keys) && keys.length > 0) return keys;
  throw new Error(`Reading the ${what}: expected {"keys": [...]} with at least one key`);
};

const isEd25519 = (key: object): boolean => {
  const { kty, crv, kid, x } = key as Partial<IdentityJwk>;
  return kty === "OKP" && crv === "Ed25519" && KID.test(kid ?? "") && HALF.test(x ?? "");
};

const isIdentityJwk = (key: unknown): boolean =>
  typeof key === "object" && key !== null && isEd25519(key) && HALF.test((key as IdentityJwk).d ?? "");
