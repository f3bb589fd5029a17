/** The registry of problem types (RFC 9457). A service adds its own table in `contract.ts`. */

export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may succeed later unchanged; then the answer carries `Retry-After`. */
  readonly retryable: boolean;
}

export type ProblemTable = Readonly<Record<string, ProblemType>>;

export const PLATFORM_PROBLEMS = {
  malformed_request: { status: 400, title: "The request is not what HTTP lets one send", retryable: false },
  invalid_json: { status: 400, title: "The body is not valid JSON", retryable: false },
  invalid_parameter: { status: 400, title: "A parameter of the request is not valid", retryable: false },
  version_conflict: {
    status: 400,
    title: "The request asks for two versions that contradict each other",
    retryable: false,
  },
  csrf_mismatch: {
    status: 403,
    title: "The request does not prove that it comes from the session's own pages",
    retryable: false,
  },
  origin_not_allowed: {
    status: 403,
    title: "Pages of this origin may not send such requests",
    retryable: false,
  },
  credentials_missing: { status: 401, title: "Credentials are needed here", retryable: false },
  credentials_not_valid: { status: 401, title: "The credentials are not valid", retryable: false },
  identity_missing: { status: 401, title: "The request did not come through the gateway", retryable: false },
  identity_not_valid: {
    status: 401,
    title: "The gateway's word for the caller is not valid",
    retryable: false,
  },
  tenant_required: { status: 403, title: "The credentials belong to no tenant", retryable: false },
  scope_missing: { status: 403, title: "The credentials do not allow this", retryable: false },
  not_found: { status: 404, title: "There is nothing at this address", retryable: false },
  version_gone: { status: 410, title: "This version is no longer offered", retryable: false },
  version_not_offered: { status: 406, title: "The version asked for is not offered", retryable: false },
  method_not_allowed: { status: 405, title: "This method is not offered here", retryable: false },
  length_required: { status: 411, title: "The request must say how long its body is", retryable: false },
  body_too_large: { status: 413, title: "The body is too large", retryable: false },
  uri_too_long: { status: 414, title: "The address is too long", retryable: false },
  unsupported_media_type: { status: 415, title: "The body must be application/json", retryable: false },
  invalid_body: { status: 422, title: "The body does not have the expected form", retryable: false },
  idempotency_key_reused: {
    status: 422,
    title: "The Idempotency-Key was used with another request",
    retryable: false,
  },
  conflict: { status: 409, title: "Others changed the same thing at the same time", retryable: true },
  subject_forgotten: {
    status: 409,
    title: "Nothing personal is recorded of this data subject any more",
    retryable: false,
  },
  headers_too_large: { status: 431, title: "The header fields are too many or too large", retryable: false },
  rate_limited: { status: 429, title: "There were too many requests", retryable: true },
  internal_error: { status: 500, title: "Something went wrong on our side", retryable: false },
  answer_not_valid: {
    status: 500,
    title: "The service's answer is not what its document says",
    retryable: false,
  },
  replay_failed: { status: 502, title: "The parked event still cannot be handled", retryable: true },
  upstream_unreachable: { status: 502, title: "The service did not answer", retryable: true },
  unavailable: { status: 503, title: "The service cannot do this at the moment", retryable: true },
  fault_injected: { status: 503, title: "This failure was ordered, for a test", retryable: true },
  loop_detected: { status: 508, title: "The request goes in a circle", retryable: false },
  deadline_exceeded: { status: 504, title: "The answer did not come in time", retryable: true },
  not_stored: {
    status: 504,
    title: "Only a stored answer was asked for, and there is none",
    retryable: false,
  },
  position_not_reached: { status: 503, title: "The answer is not as new as asked for yet", retryable: true },
} as const satisfies ProblemTable;

/** A refusal as data: what crosses Actors and services. */
export interface Failure<Code extends string = string> {
  readonly code: Code;
  /** What was attempted, the value in quotes, what was expected. Shown to clients. */
  readonly detail: string;
}
