/**
 * The least that a gateway does which names requests, tells the trace on, takes away what is not a client's to pass on, and
 * looks at the answer: straight on, without routes, policy, or telemetry.
 */
interface Env {
  readonly SERVICE: Fetcher;
}

const HOP_BY_HOP = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);
let named = 0;

export default {
  async fetch(request, env) {
    const { headers } = request;
    const id = headers.get("x-request-id") ?? `least-${(++named).toString(36)}`;
    const traced = headers.has("traceparent");
    const isLarge = Number(headers.get("content-length")) > 262_144;
    if (isLarge) return new Response(null, { status: 413 });
    const onward = new Request(request);
    for (const name of headers.keys())
      if (HOP_BY_HOP.has(name) || name.startsWith("internal-")) onward.headers.delete(name);
    onward.headers.set("x-request-id", id);
    if (!traced)
      onward.headers.set(
        "traceparent",
        `00-0af7651916cd43dd${named.toString(16).padStart(16, "0")}-b7ad6b7169203331-00`,
      );
    const answer = await env.SERVICE.fetch(onward);
    if (!answer.headers.has("x-request-id") || answer.headers.has("internal-note"))
      return new Response(null, { status: 500 });
    return answer;
  },
} satisfies ExportedHandler<Env>;
