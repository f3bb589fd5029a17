/** `X-Request-Id`: one name for a request in the client's, the gateway's and the services' words. */

const ACCEPTED = /^[\x21-\x7e]{1,128}$/;

/** The client's own id when it is safe to repeat in headers and logs; undefined otherwise. */
export const acceptRequestId = (header: string | null): string | undefined =>
  header !== null && ACCEPTED.test(header) ? header : undefined;
