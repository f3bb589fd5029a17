/** The word of a gateway for nobody in particular, which holds for longer than any gateway would give it. */
import { ANYBODY } from "#shared/identity/caller.ts";
import type { IdentityJwk } from "#shared/identity/identity-keys.ts";
import {
  IDENTITY_HEADER,
  IDENTITY_ISSUER,
  PLATFORM_AUDIENCE,
  signToken,
} from "#shared/identity/identity-token.ts";

const SECONDS = 3_600;

/** A header, for what is compared with a gateway and cannot sign. @param scope what the caller may do besides */
export const longIdentity = async (
  { kid, ...jwk }: IdentityJwk,
  scope = "",
): Promise<Readonly<Record<string, string>>> => {
  const key = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: IDENTITY_ISSUER,
    aud: PLATFORM_AUDIENCE,
    sub: ANYBODY.subject,
    scope,
    by: ANYBODY.by,
  };
  return { [IDENTITY_HEADER]: await signToken({ ...claims, iat, exp: iat + SECONDS }, kid, key) };
};
