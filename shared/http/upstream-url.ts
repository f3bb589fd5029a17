/** Upstream at a URL: HTTP over the network, bounded in time. */
import type { Upstream } from "./upstream.ts";

export interface UrlUpstreamOptions {
  /** Origin and path prefix that requests are sent to: "https://pay.example/api". */
  readonly baseUrl: string;
  /** From sending to the answer's headers; then it rejects with a TimeoutError. A function is asked at each request. */
  readonly timeoutMs: number | (() => number);
}

/**
 * Keeps path and query of each request, under the base URL. Redirects are answers: they are passed on, not followed.
 * A body may take as long as the request's own signal lets it.
 */
export const urlUpstream = ({ baseUrl, timeoutMs }: UrlUpstreamOptions): Upstream => {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/$/, "");
  return {
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const target = `${base.origin}${prefix}${pathname}${search}`;
      const late = new AbortController();
      const ms = typeof timeoutMs === "number" ? timeoutMs : timeoutMs();
      const timer = setTimeout(() => late.abort(timeoutOf(base.origin, ms)), ms);
      try {
        const signal = AbortSignal.any([request.signal, late.signal]);
        return await fetch(new Request(target, request), { redirect: "manual", signal });
      } finally {
        clearTimeout(timer);
      }
    },
  };
};

const timeoutOf = (origin: string, ms: number): DOMException =>
  new DOMException(`Calling "${origin}": no answer within ${ms} ms`, "TimeoutError");
