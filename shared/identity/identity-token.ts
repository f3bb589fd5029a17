/** The gateway's word for a caller: a compact JWS (RFC 7515) by Ed25519, of one form and no other. */

import { isTenant } from "../events/tenant-id.ts";
import { decodeBase64url, encodeBase64url } from "../http/base64url.ts";
import { type Caller, isScope, scopesOf, WAYS } from "./caller.ts";

/** Carries the token between workers; the gateway removes it, as all of its prefix, from what comes from outside. */
export const IDENTITY_HEADER = "skerry-internal-identity";

export const IDENTITY_ISSUER = "skerry-gateway";

/** The audience of tokens that every service takes, so that one can pass its caller's on to the next. */
export const PLATFORM_AUDIENCE = "skerry";

export interface IdentityClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** Space-separated, as in RFC 9068 section 2.2.3. */
  readonly scope: string;
  readonly by: Caller["by"];
  readonly tenant?: string;
  /** Seconds since the Unix epoch. */
  readonly iat: number;
  /** Seconds since the Unix epoch. */
  readonly exp: number;
}

export interface ReadToken {
  /** Of the header: whose key is to verify it. */
  readonly kid: string;
  /** Not to be believed before the signature is verified. */
  readonly claims: IdentityClaims;
  readonly signature: Uint8Array;
  /** What is signed. */
  readonly signed: Uint8Array;
}

const ALGORITHM = "EdDSA";
const TYPE = "skerry-identity+jwt";

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const encodeJson = (value: unknown): string => encodeBase64url(utf8.encode(JSON.stringify(value)));

/** @param key an Ed25519 private key that may sign */
export const signToken = async (claims: IdentityClaims, kid: string, key: CryptoKey): Promise<string> => {
  const text = `${encodeJson({ alg: ALGORITHM, typ: TYPE, kid })}.${encodeJson(claims)}`;
  const signature = await crypto.subtle.sign("Ed25519", key, utf8.encode(text));
  return `${text}.${encodeBase64url(new Uint8Array(signature))}`;
};

/** Undefined for everything that {@link signToken} would not have written: another algorithm, type, or claim's form. */
export const readToken = (token: string): ReadToken | undefined => {
  const [header = "", payload = "", signed = "", ...more] = token.split(".");
  const signature = decodeBase64url(signed);
  if (more.length > 0 || signature?.length !== 64) return undefined;
  const { alg, typ, kid, ...others } = decodeJson(header) ?? {};
  const claims = claimsOf(decodeJson(payload));
  if (alg !== ALGORITHM || typ !== TYPE || typeof kid !== "string" || !claims) return undefined;
  // Whatever else a header says (`crit`, `jwk`, `x5u`) wants to be heeded, and is not.
  if (Object.keys(others).length > 0) return undefined;
  return {
    kid,
    claims,
    signature,
    signed: utf8.encode(`${header}.${payload}`),
  };
};

export const callerOf = ({ sub, scope, by, tenant }: IdentityClaims): Caller => ({
  subject: sub,
  scopes: scopesOf(scope),
  by,
  ...(tenant !== undefined && { tenant }),
});

const decodeJson = (text: string): Readonly<Record<string, unknown>> | undefined => {
  const bytes = decodeBase64url(text);
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(strictUtf8.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

const claimsOf = (claims: Readonly<Record<string, unknown>> = {}): IdentityClaims | undefined => {
  const { iss, aud, sub, scope, by, iat, exp, tenant } = claims;
  const texts = [iss, aud, sub, scope, by].every((text) => typeof text === "string");
  const known = WAYS.some((way) => way === by);
  if (!texts || !known || !Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return undefined;
  if (tenant !== undefined && !isTenant(tenant)) return undefined;
  const scopes = scope === "" || String(scope).split(" ").every(isScope);
  const whose = tenant !== undefined && { tenant };
  return scopes ? ({ iss, aud, sub, scope, by, iat, exp, ...whose } as IdentityClaims) : undefined;
};
