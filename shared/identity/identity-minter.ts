/** Mints the gateway's word for a caller, as a rule once for many requests. */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Caller } from "./caller.ts";
import type { IdentityJwk } from "./identity-keys.ts";
import { IDENTITY_ISSUER, PLATFORM_AUDIENCE, signToken } from "./identity-token.ts";
import { recentMap } from "./recent-map.ts";

export interface IdentityMinter {
  /**
   * At once where the same was minted lately, and with at least half of its life left in any case.
   * @param audience a service's name; by default all of them, so that a service can pass it on
   */
  mint(caller: Caller, audience?: string): string | Promise<string>;
}

export interface IdentityMinterOptions {
  /** The first signs; the others are there to be shown to those who verify before or after they sign. */
  readonly keys: readonly [IdentityJwk, ...IdentityJwk[]];
  readonly clock: Clock;
}

interface Minted {
  readonly token: string;
  readonly renewAt: number;
}

const LIFE_MS = LIMITS.identitySeconds * 1_000;

/** Rejects only when the key is none: the form was checked before, see `readPrivateKeys`. */
export const identityMinter = ({ keys: [signing], clock }: IdentityMinterOptions): IdentityMinter => {
  const minted = recentMap<Minted>(LIMITS.identitiesRemembered);
  let key: CryptoKey | undefined;

  const mintAnew = async (
    name: string,
    { subject, scopes, by, tenant }: Caller,
    aud: string,
  ): Promise<string> => {
    // The key itself is kept, not a promise of it: a promise belongs to the request that made it.
    key ??= await importSigning(signing);
    const now = clock();
    const iat = Math.floor(now / 1_000);
    const times = { iat, exp: iat + LIMITS.identitySeconds };
    const whose = tenant !== undefined && { tenant };
    const claims = {
      iss: IDENTITY_ISSUER,
      aud,
      sub: subject,
      scope: scopes.join(" "),
      by,
      ...whose,
      ...times,
    };
    const token = await signToken(claims, signing.kid, key);
    minted.set(name, { token, renewAt: now + LIFE_MS / 2 });
    return token;
  };

  return {
    mint(caller, audience = PLATFORM_AUDIENCE) {
      // JSON keeps apart what a separator would not: a subject may hold any character.
      const name = JSON.stringify([audience, caller.by, caller.tenant, caller.subject, caller.scopes]);
      const known = minted.get(name);
      return known && clock() < known.renewAt ? known.token : mintAnew(name, caller, audience);
    },
  };
};

const importSigning = ({ kty, crv, x, d }: IdentityJwk): Promise<CryptoKey> =>
  crypto.subtle.importKey("jwk", { kty, crv, x, d }, "Ed25519", false, ["sign"]);
