/** What others may see of the control plane: its version and its problem types. */
import type { ProblemTable } from "#shared/http/errors.ts";

export const CONTROL = { service: "control", major: 1, version: "1.0.0" } as const;

export const CONTROL_PROBLEMS = {
  token_missing: { status: 401, title: "A bearer token is needed", retryable: false },
  token_unknown: { status: 401, title: "The bearer token is not known", retryable: false },
  token_expired: { status: 401, title: "The bearer token has expired", retryable: false },
  role_too_small: { status: 403, title: "The token does not allow this", retryable: false },
  document_not_found: { status: 404, title: "There is no such document", retryable: false },
  revision_not_found: { status: 404, title: "There is no such revision", retryable: false },
  schema_not_found: { status: 404, title: "The service has declared no schema", retryable: false },
  rollout_not_found: { status: 404, title: "There is no roll-out of this document", retryable: false },
  token_not_found: { status: 404, title: "There is no such token", retryable: false },
  instance_not_found: { status: 404, title: "There is no such instance", retryable: false },
  service_not_registered: {
    status: 404,
    title: "No instance of this service is registered",
    retryable: false,
  },
  rollout_under_way: { status: 409, title: "A roll-out of this document is under way", retryable: false },
  limit_reached: { status: 409, title: "No more of these are kept", retryable: false },
  document_changed: {
    status: 412,
    title: "The document is not at the revision that the request names",
    retryable: false,
  },
  config_does_not_fit: { status: 422, title: "The configuration does not fit its schema", retryable: false },
  schema_not_valid: { status: 422, title: "The schema is not valid", retryable: false },
  secret_not_known: { status: 422, title: "The secret that is to be kept is not there", retryable: false },
  url_not_allowed: { status: 422, title: "Instances at this URL are not allowed", retryable: false },
  binding_not_known: { status: 422, title: "There is no service binding of this name", retryable: false },
  precondition_required: {
    status: 428,
    title: "The request must name the revision that it changes",
    retryable: false,
  },
} as const satisfies ProblemTable;
