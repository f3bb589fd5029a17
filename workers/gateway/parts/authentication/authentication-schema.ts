/** Who is let in: the form in which operators say it. */
import * as z from "zod";

const OFF = z.literal(false);

/** Visible ASCII without `"` and `\` (RFC 6749 section 3.3). */
const scope = () => z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/);
const scopes = () => z.array(scope()).max(100);
const name = () => z.string().min(1).max(256);

/** One token of a subject of the log: services keep tenants apart by it. */
const tenant = () => z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const apiKey = z.strictObject({
  hash: z
    .string()
    .regex(/^(?:[0-9a-f]{64}|[A-Za-z0-9_-]{43})$/)
    .describe("SHA-256 of the whole key, in hexadecimal digits or base64url."),
  owner: name().optional().describe("Who calls by it; the key's id when absent."),
  scopes: scopes().optional().describe("What it allows."),
  tenant: tenant().optional().describe("Whose caller it is; nobody's when absent."),
  expiresAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("From then on the key is refused; never when absent."),
  disabled: z.boolean().optional().describe("`true` refuses the key."),
});

const apiKeys = z.strictObject({
  header: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/)
    .optional()
    .describe("The header that has the key, in lower case."),
  scheme: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,31}$/)
    .optional()
    .describe("What stands before the key where the header is `authorization`."),
  keys: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), apiKey)
    .describe("By the id that stands in the key, `sk_<id>_<random>`."),
});

export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const issuerFields = {
  issuer: name().describe("What its tokens say as `iss`, character by character."),
  audience: z
    .union([name(), z.array(name()).min(1).max(20)])
    .describe("One of these a token must be meant for (`aud`)."),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .max(ALGORITHMS.length)
    .optional()
    .describe("The signatures that are taken: none with a shared secret, never `none`."),
  clockSkewSeconds: z
    .int()
    .min(0)
    .max(300)
    .optional()
    .describe("How far the issuer's clock may be from ours."),
  scopesClaim: name().optional().describe("The claim with the scopes: a list with spaces, or an array."),
  subjectClaim: name().optional().describe("The claim that names the caller."),
  subjectPrefix: z
    .string()
    .max(64)
    .optional()
    .describe("Put before the caller's name, where several issuers could give the same."),
};

/**
 * Not both: which of them were to hold for a token without the claim could be taken either way, and one way a stranger is the
 * tenant's. There is nothing that keeps tenants of two issuers apart, for one tenant may have users at both: an issuer that may
 * name tenants may name all of them.
 */
const ofOne = {
  tenant: tenant().optional().describe("Whose callers all of its tokens' are, whatever they say."),
};
const ofMany = {
  tenantClaim: name()
    .optional()
    .describe(
      "The claim that names the caller's tenant, in the place of `tenant`; a token without it is nobody's.",
    ),
};

/** Plain HTTP stays on one machine: who can change keys on their way can be anybody. */
const jwksUrl = z
  .string()
  .max(2_048)
  .regex(/^(?:https:\/\/[^/]|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])/)
  .describe("Where its keys are: `https`, or `http` on this machine.");

const jwks = z
  .strictObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })
  .describe("Its public keys themselves, in the place of `jwksUrl`.");

const jwt = z.strictObject({
  issuers: z
    .array(
      z.union([
        z.strictObject({ ...issuerFields, jwksUrl, ...ofOne }),
        z.strictObject({ ...issuerFields, jwksUrl, ...ofMany }),
        z.strictObject({ ...issuerFields, jwks, ...ofOne }),
        z.strictObject({ ...issuerFields, jwks, ...ofMany }),
      ]),
    )
    .max(20)
    .describe("Whose tokens are taken."),
});

const certificate = z.strictObject({
  owner: name().optional().describe("Who calls by it; what it was found by when absent."),
  scopes: scopes().optional().describe("What it allows."),
  tenant: tenant().optional().describe("Whose caller it is; nobody's when absent."),
});

const mtls = z.strictObject({
  fingerprints: z
    .record(z.string().regex(/^[0-9a-f]{64,128}$/), certificate)
    .optional()
    .describe("Certificates by their SHA-256 in lower-case hexadecimal digits; stronger than `subjects`."),
  subjects: z
    .record(name(), certificate)
    .optional()
    .describe("Certificates by their subject's distinguished name, character by character (RFC 2253)."),
});

const failures = z.strictObject({
  limit: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("Credentials that are not valid in each period, in the long run."),
  periodSeconds: z.int().min(1).max(86_400).optional().describe("Whole seconds."),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("As many may come at once after a rest; `limit` when absent."),
});

export const authenticationSchema = z.strictObject({
  apiKeys: z.union([OFF, apiKeys]).optional().describe("Lets in who has a key."),
  jwt: z.union([OFF, jwt]).optional().describe("Lets in who has a bearer token of an issuer."),
  mtls: z
    .union([OFF, mtls])
    .optional()
    .describe("Lets in who has a client certificate that the platform has verified."),
  optional: z
    .boolean()
    .optional()
    .describe("`true` lets in who presents nothing, too, but for what needs scopes."),
  scopes: scopes().optional().describe("All of these are needed."),
  anyScope: scopes().optional().describe("One of these is needed."),
  forwardCredentials: z.boolean().optional().describe("`true` lets the service see the key or token."),
  failures: z
    .union([OFF, failures])
    .optional()
    .describe(
      "How often one client's network may present what is not valid; then only who is known is heard.",
    ),
});

export type AuthenticationSettings = z.infer<typeof authenticationSchema>;
export type ApiKeySettings = z.infer<typeof apiKeys>;
export type ApiKeyEntry = z.infer<typeof apiKey>;
export type JwtSettings = z.infer<typeof jwt>;
export type IssuerSettings = JwtSettings["issuers"][number];
export type FailureSettings = z.infer<typeof failures>;
export type MtlsSettings = z.infer<typeof mtls>;
export type Algorithm = (typeof ALGORITHMS)[number];
