/** Runs the claims about service bindings where service bindings are: inside a worker, bound to another one. */
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { UPSTREAM_CLAIMS, upstreamTarget } from "./upstream.ts";

interface Env {
  /** Absent in the worker that is the target. */
  readonly TARGET?: Fetcher;
}

export default {
  /** The caller runs the claim whose index is the query and answers with what it threw, or nothing. */
  async fetch(request, { TARGET }) {
    if (!TARGET) return upstreamTarget(request);
    const claim = UPSTREAM_CLAIMS[Number(new URL(request.url).search.slice(1))];
    try {
      if (!claim) throw new Error(`Running the claim "${request.url}": there is none with this index`);
      await claim.run(bindingUpstream(TARGET));
      return new Response("");
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  },
} satisfies ExportedHandler<Env>;
