/** Keys and a clock for tests of identities. */
import type { IdentityJwk } from "./identity-keys.ts";

/** @param kid by which the key is named */
export const newIdentityJwk = async (kid: string): Promise<IdentityJwk> => {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { x = "", d = "" } = (await crypto.subtle.exportKey(
    "jwk",
    (pair as CryptoKeyPair).privateKey,
  )) as JsonWebKey;
  return { kty: "OKP", crv: "Ed25519", kid, x, d };
};

/** A clock that stands until it is moved. */
export const handClock = (startMs = 1_800_000_000_000) => {
  let now = startMs;
  return {
    clock: (): number => now,
    pass: (ms: number): void => {
      now += ms;
    },
  };
};
