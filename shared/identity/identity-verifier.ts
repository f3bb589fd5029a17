/** Verifies the gateway's word for a caller; the same in every runtime with Web Crypto. */
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Caller } from "./caller.ts";
import {
  callerOf,
  IDENTITY_ISSUER,
  type IdentityClaims,
  PLATFORM_AUDIENCE,
  type ReadToken,
  readToken,
} from "./identity-token.ts";
import type { KeySet, PublicJwk } from "./key-set.ts";
import type { KeySetSource, WaitUntil } from "./key-set-source.ts";
import { tokenMemory } from "./token-memory.ts";

export type IdentityRefusal = Failure<"identity_missing" | "identity_not_valid" | "unavailable">;
export type VerifiedIdentity = Result<Caller, IdentityRefusal>;

export interface IdentityVerifier {
  /**
   * At once for a token that was verified before; never rejects.
   * @param waitUntil takes what goes on after the answer; needed where keys are fetched
   */
  verify(token: string, waitUntil?: WaitUntil): VerifiedIdentity | Promise<VerifiedIdentity>;
}

export interface IdentityVerifierOptions {
  /** The gateway's public keys: several while they are exchanged. */
  readonly keys: KeySetSource;
  /** The service that asks: what is meant for it alone, or for the whole platform, is taken. */
  readonly audience: string;
  readonly clock: Clock;
}

interface Remembered {
  readonly verified: VerifiedIdentity;
  readonly untilMs: number;
}

/** A caller's own token may have `credentialCharacters`; written down anew it grows. */
const CHARACTERS_MAX = 2 * LIMITS.credentialCharacters;

export const identityVerifier = ({ keys, audience, clock }: IdentityVerifierOptions): IdentityVerifier => {
  const remembered = tokenMemory<Remembered>(LIMITS.identitiesRemembered);
  const imported = new WeakMap<PublicJwk, CryptoKey>();

  const cryptoKeyOf = async (jwk: PublicJwk): Promise<CryptoKey> => {
    const key = imported.get(jwk) ?? (await importVerifying(jwk));
    imported.set(jwk, key);
    return key;
  };

  const keyOf = async (kid: string, waitUntil: WaitUntil): Promise<Result<PublicJwk, IdentityRefusal>> => {
    const named = (set: KeySet | undefined) => set?.keys.find((key) => key.kid === kid);
    const key = named(await keys.current(waitUntil));
    if (key) return ok(key);
    const renewed = await keys.renewed(waitUntil);
    const found = named(renewed);
    if (found) return ok(found);
    return err(renewed ? notValid("its key is not known") : KEYS_AWAY);
  };

  const verifyAnew = async (token: string, waitUntil: WaitUntil): Promise<VerifiedIdentity> => {
    const read = token.length <= CHARACTERS_MAX ? readToken(token) : undefined;
    if (!read) return err(notValid("it does not have the expected form"));
    const fault = claimsFault(read.claims, audience, clock());
    if (fault) return err(notValid(fault));
    const jwk = await keyOf(read.kid, waitUntil);
    if (!jwk.ok) return jwk;
    if (!(await isSigned(read, () => cryptoKeyOf(jwk.value))))
      return err(notValid("its signature is not right"));
    const verified = ok(callerOf(read.claims));
    remembered.set(token, { verified, untilMs: untilMsOf(read.claims) });
    return verified;
  };

  return {
    verify(token, waitUntil = () => undefined) {
      const known = remembered.get(token);
      return known && clock() < known.untilMs ? known.verified : verifyAnew(token, waitUntil);
    },
  };
};

const KEYS_AWAY: IdentityRefusal = {
  code: "unavailable",
  detail: "Verifying who calls: the gateway's keys cannot be had at the moment.",
};

/** Says why, and nothing of the token. */
const notValid = (why: string): IdentityRefusal => ({
  code: "identity_not_valid",
  detail: `Verifying who calls: the gateway's token was not taken, ${why}.`,
});

const untilMsOf = ({ exp }: IdentityClaims): number => (exp + LIMITS.identitySkewSeconds) * 1_000;

const claimsFault = (claims: IdentityClaims, audience: string, nowMs: number): string | undefined => {
  if (claims.iss !== IDENTITY_ISSUER) return "it is not the gateway's";
  if (claims.aud !== audience && claims.aud !== PLATFORM_AUDIENCE) return "it is meant for another service";
  if (nowMs >= untilMsOf(claims)) return "it has expired";
  if (claims.iat * 1_000 > nowMs + LIMITS.identitySkewSeconds * 1_000) return "it comes from the future";
  return undefined;
};

const isSigned = async (
  { signature, signed }: ReadToken,
  key: () => Promise<CryptoKey>,
): Promise<boolean> => {
  try {
    return await crypto.subtle.verify("Ed25519", await key(), signature, signed);
  } catch {
    return false;
  }
};

const importVerifying = ({ kty, crv, x }: PublicJwk): Promise<CryptoKey> =>
  crypto.subtle.importKey("jwk", { kty, crv: `${crv}`, x: `${x}` }, "Ed25519", false, ["verify"]);
