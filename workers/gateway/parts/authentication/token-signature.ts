/** Whether a token (RFC 7515) is signed by a key of its issuer. */
import { compactVerify, importJWK } from "jose";
import type { KeySet, PublicJwk } from "#shared/identity/key-set.ts";
import type { Algorithm } from "./authentication-schema.ts";

export interface SignedHeader {
  readonly alg: Algorithm;
  readonly kid: string | undefined;
}

/** Keys that one token is tried with: a set may hold several of one name, or the token may name none. */
const TRIED_MAX = 4;

type Imported = WeakMap<PublicJwk, Map<string, CryptoKey>>;

/** The keys of the set that a token with such a header can be signed by. */
export const candidatesOf = (set: KeySet | undefined, header: SignedHeader): readonly PublicJwk[] =>
  set?.keys.filter((jwk) => isCandidate(jwk, header)).slice(0, TRIED_MAX) ?? [];

/** Never rejects: a key that cannot be imported has signed nothing. */
export const isSignedByOne = async (
  token: string,
  candidates: readonly PublicJwk[],
  { alg, imported }: { readonly alg: Algorithm; readonly imported: Imported },
): Promise<boolean> => {
  for (const jwk of candidates) {
    try {
      await compactVerify(token, await keyOf(jwk, alg, imported), { algorithms: [alg] });
      return true;
    } catch {
      // Another key may have.
    }
  }
  return false;
};

const KEY_TYPES: Readonly<Record<Algorithm, readonly [kty: string, crv?: string]>> = {
  RS256: ["RSA"],
  RS384: ["RSA"],
  RS512: ["RSA"],
  PS256: ["RSA"],
  PS384: ["RSA"],
  PS512: ["RSA"],
  ES256: ["EC", "P-256"],
  ES384: ["EC", "P-384"],
  ES512: ["EC", "P-521"],
  EdDSA: ["OKP", "Ed25519"],
  Ed25519: ["OKP", "Ed25519"],
};

/** By what the key says of itself (RFC 7517 section 4): an owner's word for which use it is not meant is heeded. */
const isCandidate = (jwk: PublicJwk, { alg, kid }: SignedHeader): boolean => {
  const [kty, crv] = KEY_TYPES[alg];
  return (
    jwk.kty === kty &&
    (crv === undefined || jwk.crv === crv) &&
    (kid === undefined || jwk.kid === kid) &&
    (jwk.alg === undefined || jwk.alg === alg) &&
    (jwk.use === undefined || jwk.use === "sig") &&
    (jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify")))
  );
};

const keyOf = async (jwk: PublicJwk, alg: Algorithm, imported: Imported): Promise<CryptoKey> => {
  const known = imported.get(jwk)?.get(alg);
  if (known) return known;
  const key = await importJWK(jwk, alg);
  if (!("type" in key) || key.type !== "public") throw new TypeError("expected a public key");
  const keys = imported.get(jwk) ?? new Map<string, CryptoKey>();
  imported.set(jwk, keys.set(alg, key));
  return key;
};
