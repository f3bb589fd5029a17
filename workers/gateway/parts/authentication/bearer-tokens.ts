/** Finds out who calls by a JSON Web Token (RFC 7519) of an issuer, presented as RFC 6750 says. */
import { decodeJwt, decodeProtectedHeader } from "jose";
import { decodeBase64url } from "#shared/http/base64url.ts";
import type { KeySet } from "#shared/identity/key-set.ts";
import type { KeySetSource, WaitUntil } from "#shared/identity/key-set-source.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { AuthenticationMemory } from "./authentication-memory.ts";
import { ALGORITHMS, type IssuerSettings, type JwtSettings } from "./authentication-schema.ts";
import { type Authenticated, type AuthenticationFault, credentialAfter, type Method } from "./method.ts";
import { admissionOf, algorithmsOf, type Claims, isMeantBy, timeFault } from "./token-claims.ts";
import { candidatesOf, isSignedByOne, type SignedHeader } from "./token-signature.ts";

const SCHEME = "Bearer";
const AUTHORIZATION = "authorization";

export const bearerTokens = (settings: JwtSettings, memory: AuthenticationMemory): Method => {
  const { clock, tokens } = memory;

  /** @param asked what the issuer's keys are, where that was asked before */
  const judgeAnew = async (token: string, waitUntil: WaitUntil, asked?: Asked): Promise<Authenticated> => {
    const read = readToken(token);
    if (!read) return refused("the token is none that is taken here");
    const issuer = issuerOf(settings.issuers, read.claims);
    if (!issuer) return refused("the token's issuer is not known");
    if (!algorithmsOf(issuer).includes(read.header.alg))
      return refused("the token's algorithm is not allowed");
    // Before the signature: most tokens that are refused are old, and forging one learns nothing from it.
    const admission = admissionOf(issuer, read.claims);
    if (!admission.ok) return refused(admission.error);
    const fault = timeFault(admission.value, clock());
    if (fault) return untimely(fault);
    const keys = memory.keysOf(issuer);
    const set = await (asked ?? keys.current(waitUntil));
    const signing = await signingSet({ token, header: read.header, keys, set }, waitUntil);
    if (!signing.ok) return signing;
    tokens.set(token, { set: signing.value, settings: issuer, admission: admission.value, keys });
    return ok(admission.value.caller);
  };

  /** The set that has the key that the token is signed by. */
  const signingSet = async (
    { token, header, keys, set }: Signed,
    waitUntil: WaitUntil,
  ): Promise<Result<KeySet, AuthenticationFault>> => {
    // Another route has verified it, which asks for something else.
    if (set && tokens.get(token)?.set === set) return ok(set);
    const asked = candidatesOf(set, header).length > 0 ? set : await keys.renewed(waitUntil);
    if (!asked) return err(KEYS_AWAY);
    const candidates = candidatesOf(asked, header);
    if (candidates.length === 0) return refused("the token's key is not known");
    const isSigned = await isSignedByOne(token, candidates, { alg: header.alg, imported: memory.imported });
    return isSigned ? ok(asked) : refused("the token's signature is not right");
  };

  return {
    scheme: SCHEME,
    header: AUTHORIZATION,
    credential: ({ headers }) => credentialAfter(SCHEME, headers.get(AUTHORIZATION)),
    judge(token, { waitUntil }) {
      if (token.length > LIMITS.credentialCharacters) return () => TOO_LONG;
      const known = tokens.get(token);
      if (!known) return () => judgeAnew(token, waitUntil);
      if (!settings.issuers.some((issuer) => issuer === known.settings)) return judgeAnew(token, waitUntil);
      const asked = known.keys.current(waitUntil);
      if (asked !== known.set) return judgeAnew(token, waitUntil, asked);
      const fault = timeFault(known.admission, clock());
      return fault ? untimely(fault) : ok(known.admission.caller);
    },
  };
};

type Asked = ReturnType<KeySetSource["current"]>;

interface Signed {
  readonly token: string;
  readonly header: SignedHeader;
  readonly keys: KeySetSource;
  readonly set: KeySet | undefined;
}

const refused = (why: string) =>
  err<AuthenticationFault>({ code: "credentials_not_valid", why, guess: true });
/** Tokens that were right once are told so before their signature is looked at: whoever guesses learns nothing from it. */
const untimely = (why: string) => err<AuthenticationFault>({ code: "credentials_not_valid", why });
const TOO_LONG = refused(`the token has more than ${LIMITS.credentialCharacters} characters`);
const KEYS_AWAY: AuthenticationFault = {
  code: "unavailable",
  why: "the keys of the token's issuer cannot be had at the moment",
};

/** One issuer may stand there several times, for several audiences. */
const issuerOf = (issuers: readonly IssuerSettings[], claims: Claims): IssuerSettings | undefined =>
  issuers.find((issuer) => isMeantBy(issuer, claims)) ?? issuers.find(({ issuer }) => issuer === claims.iss);

/** Not to be believed yet; undefined for what is no token that anybody here would take. */
const readToken = (token: string): { readonly header: SignedHeader; readonly claims: Claims } | undefined => {
  // One token has one text: others that decode to the same would be remembered beside it.
  if (!decodeBase64url(token.slice(token.lastIndexOf(".") + 1))) return undefined;
  try {
    const { alg, kid, crit } = decodeProtectedHeader(token);
    const known = ALGORITHMS.find((each) => each === alg);
    // Extensions that have to be understood (RFC 7515 section 4.1.11) are not; an unencoded payload is one of them.
    if (!known || crit !== undefined || (kid !== undefined && typeof kid !== "string")) return undefined;
    return { header: { alg: known, kid }, claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
};
