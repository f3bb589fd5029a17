/** How credentials are asked for and refused: RFC 9110 section 11.6.1, RFC 6750 section 3. */
import { type Exchange, refusal } from "../../exchange.ts";
import type { AuthenticationFault, Method } from "./method.ts";

const REALM = 'realm="skerry"';
const SUBJECT = "Checking who calls";

/** A 401 names at least one way in (RFC 9110 section 15.5.2): with every method off, a session is the one that may be left. */
const SESSION = { scheme: "Session" };

/** Who presents nothing is told what could be presented, and no error (RFC 6750 section 3.1). */
export const refuseMissing = (exchange: Exchange, methods: readonly Method[]): Response => {
  const named = methods.length > 0 ? methods : [SESSION];
  const schemes = [...new Set(named.map(({ scheme }) => scheme))];
  const challenge = schemes.map((scheme) => `${scheme} ${REALM}`).join(", ");
  const detail = `${SUBJECT}: expected ${methods.map(expectedOf).join(", or ") || "a session"}.`;
  return refusal(exchange, "credentials_missing", detail, { "www-authenticate": challenge });
};

export const refuseFault = (exchange: Exchange, { scheme }: Method, fault: AuthenticationFault): Response => {
  const detail = `${SUBJECT}: ${fault.why}.`;
  if (fault.code === "unavailable") return refusal(exchange, fault.code, detail);
  const challenge = `${scheme} ${REALM}, error="invalid_token", error_description="${fault.why}"`;
  return refusal(exchange, fault.code, detail, { "www-authenticate": challenge });
};

/** Whose network has presented too much that was not valid: nothing is said of what it presents now. */
export const refuseFailures = (exchange: Exchange, waitMs: number): Response => {
  const after = `${Math.ceil(waitMs / 1_000)}`;
  const detail = `${SUBJECT}: too many credentials from this network were not valid; expected no more of them for ${after} s.`;
  return refusal(exchange, "rate_limited", detail, { "retry-after": after });
};

/**
 * @param method that found out who calls; undefined where a session did
 * @param needed all the scopes that play a part, each of visible ASCII without quotes
 */
export const refuseScopes = (
  exchange: Exchange,
  method: Pick<Method, "scheme"> | undefined,
  needed: readonly string[],
): Response => {
  const detail = `Checking what the caller may do: expected the scopes ${needed.map((scope) => `"${scope}"`).join(", ")}.`;
  if (!method) return refusal(exchange, "scope_missing", detail);
  const challenge = `${method.scheme} ${REALM}, error="insufficient_scope", scope="${needed.join(" ")}"`;
  return refusal(exchange, "scope_missing", detail, { "www-authenticate": challenge });
};

const expectedOf = ({ scheme, header }: Method): string =>
  header === undefined
    ? "a client certificate"
    : header === "authorization"
      ? `"Authorization: ${scheme} ..."`
      : `the header "${header}"`;
