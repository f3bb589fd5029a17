/** Tells who calls a service, by the gateway's public keys that the worker was started with. */
import { readPublicKeys } from "#shared/identity/identity-keys.ts";
import { type IdentityVerifier, identityVerifier } from "#shared/identity/identity-verifier.ts";
import { givenKeySet } from "#shared/identity/key-set-source.ts";
import { systemClock } from "#shared/runtime/clock.ts";

/** What every service has for it. */
export interface ServiceIdentityEnv {
  /** Key set of the gateway's public keys. */
  readonly IDENTITY_KEYS?: string;
}

/**
 * Once for an isolate. Undefined without keys: then everybody is let in.
 * @throws Error when keys are given that are none, so that a mistake shuts the door and does not open it
 */
export const serviceIdentity = (
  service: string,
  { IDENTITY_KEYS }: ServiceIdentityEnv,
): IdentityVerifier | undefined =>
  IDENTITY_KEYS === undefined
    ? undefined
    : identityVerifier({
        keys: givenKeySet(readPublicKeys(IDENTITY_KEYS)),
        audience: service,
        clock: systemClock,
      });
