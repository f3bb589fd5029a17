/** An issuer of tokens for tests: its keys, and what it signs. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { PublicJwk } from "#shared/identity/key-set.ts";

export interface FakeIssuer {
  /** The public half. */
  readonly jwk: PublicJwk;
  /** A token of `https://issuer.example` for `api`, of Alice, with an hour left; claims that are undefined are left out. */
  token(claims?: object, header?: object): Promise<string>;
}

export const fakeIssuer = async (kid: string, clock: () => number, alg = "ES256"): Promise<FakeIssuer> => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } as unknown as PublicJwk;
  return {
    jwk,
    token: (claims = {}, header = {}) => {
      const exp = Math.floor(clock() / 1_000) + 3_600;
      const all = { iss: "https://issuer.example", aud: "api", sub: "alice", scope: "read write", exp };
      return new SignJWT({ ...all, ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
    },
  };
};
