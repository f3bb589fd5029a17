/** The Upstream port: something that answers a `Request`. Adapters: service binding, URL, in-process app. */

export interface Upstream {
  /** Rejects only when no answer came (unreachable, timed out, aborted); any HTTP status is an answer. */
  fetch(request: Request): Promise<Response>;
}
