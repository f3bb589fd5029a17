/** What a token's claims (RFC 7519 section 4.1) make of who has it. */

import { isTenant } from "#shared/events/tenant-id.ts";
import { type Caller, scopesOf } from "#shared/identity/caller.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Algorithm, IssuerSettings } from "./authentication-schema.ts";

export type Claims = Readonly<Record<string, unknown>>;

export interface Admission {
  readonly caller: Caller;
  /** From when on it holds, the issuer's clock being as wrong as it may be. */
  readonly fromMs: number;
  /** When it no longer does. */
  readonly untilMs: number;
}

export const ISSUER_DEFAULTS = {
  algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
  clockSkewSeconds: 60,
  scopesClaim: "scope",
  subjectClaim: "sub",
  subjectPrefix: "",
} as const satisfies Partial<IssuerSettings>;

export const algorithmsOf = (issuer: IssuerSettings): readonly Algorithm[] =>
  issuer.algorithms ?? ISSUER_DEFAULTS.algorithms;

/** Whether the token says that it is of this issuer, and for one that this issuer's tokens may be for. */
export const isMeantBy = (issuer: IssuerSettings, claims: Claims): boolean =>
  claims.iss === issuer.issuer && isFor(issuer.audience, claims.aud);

/**
 * What the claims say, whatever the time.
 * @param issuer the one that they name
 * @returns a refusal as the sentence of an `AuthenticationFault`
 */
export const admissionOf = (issuer: IssuerSettings, claims: Claims): Result<Admission, string> => {
  const skewSeconds = issuer.clockSkewSeconds ?? ISSUER_DEFAULTS.clockSkewSeconds;
  if (!isFor(issuer.audience, claims.aud)) return err("the token is meant for another audience");
  const { exp, nbf } = claims;
  if (!isSeconds(exp)) return err("the token does not say when it expires");
  if (nbf !== undefined && !isSeconds(nbf)) return err("the token does not say from when on it holds");
  const subject = own(claims, issuer.subjectClaim ?? ISSUER_DEFAULTS.subjectClaim);
  if (typeof subject !== "string" || subject === "") return err("the token does not say who its subject is");
  const tenant = tenantSaid(issuer, claims);
  if (tenant !== undefined && !isTenant(tenant)) return err("the token does not say whose caller it is");
  return ok({
    caller: {
      subject: `${issuer.subjectPrefix ?? ISSUER_DEFAULTS.subjectPrefix}${subject}`,
      scopes: scopesOf(own(claims, issuer.scopesClaim ?? ISSUER_DEFAULTS.scopesClaim)),
      by: "jwt",
      ...(tenant !== undefined && { tenant }),
    },
    fromMs: nbf === undefined ? Number.NEGATIVE_INFINITY : (nbf - skewSeconds) * 1_000,
    untilMs: (exp + skewSeconds) * 1_000,
  });
};

/** Undefined for nobody's; anything else is not checked. */
const tenantSaid = (issuer: IssuerSettings, claims: Claims): unknown => {
  if ("tenant" in issuer) return issuer.tenant;
  return "tenantClaim" in issuer && issuer.tenantClaim ? own(claims, issuer.tenantClaim) : undefined;
};

/** Undefined while it holds. */
export const timeFault = ({ fromMs, untilMs }: Admission, nowMs: number): string | undefined => {
  if (nowMs >= untilMs) return "the token has expired";
  return nowMs < fromMs ? "the token does not hold yet" : undefined;
};

const isFor = (wanted: string | readonly string[], said: unknown): boolean => {
  const audiences = typeof wanted === "string" ? [wanted] : wanted;
  const named = Array.isArray(said) ? said : [said];
  return audiences.some((audience) => named.includes(audience));
};

const isSeconds = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const own = (claims: Claims, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;
