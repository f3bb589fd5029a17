/** Upstream inside this process: an app that answers requests, without a network between. */
import type { Upstream } from "./upstream.ts";

interface App {
  fetch(request: Request): Response | Promise<Response>;
}

/** Rejects with the signal's reason as soon as the request is aborted, whether or not the app notices. */
export const appUpstream = (app: App): Upstream => ({
  async fetch(request) {
    const { signal } = request;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([app.fetch(request), aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  },
});
