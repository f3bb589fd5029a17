/** Upstream over a service binding: the other worker runs in the same process, no network between. */
import type { Upstream } from "./upstream.ts";

/** `binding` is what the platform puts into `env` for a service; time is bounded by the request's own signal. */
export const bindingUpstream = (binding: Pick<Fetcher, "fetch">): Upstream => ({
  fetch: (request) => binding.fetch(request),
});
