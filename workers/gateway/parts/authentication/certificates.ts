/** Finds out who calls by a client certificate, where the platform ends TLS and tells of it. */
import { err, ok } from "#shared/result.ts";
import type { MtlsSettings } from "./authentication-schema.ts";
import type { Authenticated, Method } from "./method.ts";

/** What Cloudflare tells of a client's certificate, in `request.cf.tlsClientAuth`. */
interface ClientCertificate {
  readonly certPresented?: unknown;
  readonly certVerified?: unknown;
  readonly certRevoked?: unknown;
  readonly certFingerprintSHA256?: unknown;
  readonly certSubjectDNRFC2253?: unknown;
  readonly certSubjectDN?: unknown;
}

export const certificates = ({ fingerprints = {}, subjects = {} }: MtlsSettings): Method => ({
  scheme: "ClientCertificate",
  credential: (request) => (certificateOf(request)?.certPresented === "1" ? "certificate" : undefined),
  judge(_, { request }) {
    const certificate = certificateOf(request) ?? {};
    if (certificate.certVerified !== "SUCCESS" || certificate.certRevoked === "1") return NOT_VERIFIED;
    const { certFingerprintSHA256, certSubjectDNRFC2253, certSubjectDN } = certificate;
    return (
      namedBy(fingerprints, certFingerprintSHA256) ??
      namedBy(subjects, certSubjectDNRFC2253) ??
      namedBy(subjects, certSubjectDN) ??
      NOT_KNOWN
    );
  },
});

const NOT_VERIFIED: Authenticated = err({
  code: "credentials_not_valid",
  why: "the client certificate could not be verified",
});
const NOT_KNOWN: Authenticated = err({
  code: "credentials_not_valid",
  why: "the client certificate is not known",
});

/** The platform alone sets `cf`: nothing that a client sends becomes one. */
const certificateOf = (request: Request): ClientCertificate | undefined =>
  (request as { cf?: { tlsClientAuth?: ClientCertificate } }).cf?.tlsClientAuth;

const namedBy = (
  entries: NonNullable<MtlsSettings["subjects"]>,
  name: unknown,
): Authenticated | undefined => {
  if (typeof name !== "string" || !Object.hasOwn(entries, name)) return undefined;
  const { owner = name, scopes = [], tenant } = entries[name] ?? {};
  return ok({ subject: owner, scopes, by: "mtls", ...(tenant !== undefined && { tenant }) });
};
