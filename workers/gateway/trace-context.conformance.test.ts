/** W3C Trace Context through the whole gateway: what a service gets of what a client sent. */
import { afterEach, describe, expect, test } from "vitest";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { registeredServices } from "./registered-services.ts";

const spans = recordSpans();
afterEach(() => void spans.take());

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SAMPLED = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const UNSAMPLED = `00-${TRACE_ID}-b7ad6b7169203331-00`;

/** @param statuses of the service's answers, in order */
const sent = async (headers: HeadersInit, statuses: readonly number[] = [200]) => {
  const link = fakeLink();
  link.register("orders", instance(), instance());
  const seen: Headers[] = [];
  const upstream = {
    async fetch(request: Request) {
      seen.push(request.headers);
      return new Response(null, { status: statuses[seen.length - 1] ?? 200 });
    },
  };
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf: () => upstream, random: () => 0.5 }),
    ...fakePolicies({ retry: { attempts: 2 } }, { sleep: async () => {} }),
    monitor: upstream,
    control: upstream,
    startsTrace: () => false,
    newRequestId: () => "made-here",
  });
  const context = { waitUntil: () => {}, passThroughOnException() {}, props: {} };
  await app.fetch(new Request("http://gateway/orders/v1/orders", { headers }), context);
  return seen.map((each) => [each.get("traceparent")?.split("-") ?? [], each.get("tracestate")] as const);
};

describe("through the gateway", () => {
  test("W3C Trace Context §3.4: a recorded trace goes on under the gateway's parent-id, with its tracestate", async () => {
    const [[[version, traceId, parentId, flags], tracestate] = [[], null]] = await sent({
      traceparent: SAMPLED,
      tracestate: "a=1,b=2",
    });
    const parents = spans.take().map((span) => span.spanContext().spanId);
    expect([version, traceId, flags, tracestate]).toEqual(["00", TRACE_ID, "01", "a=1,b=2"]);
    expect(parents).toContain(parentId);
  });

  test("W3C Trace Context §3.2.2.4: a request that is sent again has another parent-id of the same trace", async () => {
    const seen = await sent({ traceparent: SAMPLED }, [503, 200]);
    expect(seen.map(([[, traceId]]) => traceId)).toEqual([TRACE_ID, TRACE_ID]);
    expect(new Set(seen.map(([[, , parentId]]) => parentId)).size).toBe(2);
  });

  test("W3C Trace Context §3.4: an unsampled trace is one trace through the gateway, sent again or not", async () => {
    const seen = await sent({ traceparent: UNSAMPLED, tracestate: "a=1" }, [503, 200]);
    expect(seen.map(([parts, tracestate]) => [parts.join("-"), tracestate])).toEqual([
      [UNSAMPLED, "a=1"],
      [UNSAMPLED, "a=1"],
    ]);
  });

  test("W3C Trace Context §3.3: a client's tracestate without a traceparent of meaning reaches no service", async () => {
    for (const headers of [{ tracestate: "a=1" }, { traceparent: "nonsense", tracestate: "a=1" }]) {
      const [[[, traceId, , flags], tracestate] = [[], null]] = await sent(headers);
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect([flags, tracestate]).toEqual(["00", null]);
    }
  });
});
