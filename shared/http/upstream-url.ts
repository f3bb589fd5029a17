/** Upstream at a URL: HTTP over the network, bounded in time. */
import type { Upstream } from "./upstream.ts";

export interface UrlUpstreamOptions {
  /** Origin and path prefix that requests are sent to: "https://pay.example/api". */
  readonly baseUrl: string;
  /** From sending to the answer's headers; then it rejects with a TimeoutError. */
  readonly timeoutMs: number;
}

/** Keeps path and query of each request, under the base URL. Redirects are answers: they are passed on, not followed. */
export const urlUpstream = ({ baseUrl, timeoutMs }: UrlUpstreamOptions): Upstream => {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/$/, "");
  return {
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      const target = `${base.origin}${prefix}${pathname}${search}`;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
      return fetch(new Request(target, request), { redirect: "manual", signal });
    },
  };
};
