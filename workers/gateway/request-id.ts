/** `X-Request-Id`: one name for a request in the client's, the gateway's and the services' words. */

const ACCEPTED = /^[\x21-\x7e]{1,128}$/;

/** The client's own id when it is safe to repeat in headers and logs; undefined otherwise. */
export const acceptRequestId = (header: string | null): string | undefined =>
  header !== null && ACCEPTED.test(header) ? header : undefined;

/**
 * Names for requests whose client has none: a random beginning of the isolate's and a number that counts, because a random
 * UUID for each request costs a thirtieth of the gateway's throughput.
 */
export const requestNames = (uuid: () => string): (() => string) => {
  const prefix = uuid().replaceAll("-", "").slice(0, 20);
  let counted = 0;
  return () => `${prefix}-${(++counted).toString(36)}`;
};
