import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { Hono } from "hono";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { decodeCommit, encodeCommit } from "#nats/envelope.ts";
import { inCommitSpans } from "#shared/cqrs/commit-spans.ts";
import { tracedServer } from "#shared/telemetry/http-server.ts";
import { injectTrace, withTrace } from "#shared/telemetry/propagation.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { epochPropagator } from "./epoch-propagator.ts";

const HEADER = "skerry-internal-epoch";
const UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

recordSpans();
const saw = vi.fn();
let epoch = 0;
beforeEach(() => {
  epoch = 7;
  saw.mockClear();
  propagation.disable();
  propagation.setGlobalPropagator(
    epochPropagator(new W3CTraceContextPropagator(), { current: () => epoch, saw }),
  );
});

describe("the epoch", () => {
  test("goes with every call of an Actor and is met there, in a trace and outside of any", async () => {
    expect(injectTrace()).toEqual({ [HEADER]: "7" });
    const carrier = await inSpan("caller", {}, async () => injectTrace());
    expect(Object.keys(carrier)).toEqual(["traceparent", HEADER]);
    withTrace(carrier, () => expect(trace.getActiveSpan()).toBeDefined());
    expect(saw).toHaveBeenCalledExactlyOnceWith(7);
  });

  test("that an isolate does not have is not told", () => {
    epoch = 0;
    expect(injectTrace()).toEqual({});
  });

  test("is the newest one at each hop", () => {
    injectTrace();
    epoch = 8;
    expect(injectTrace()).toEqual({ [HEADER]: "8" });
  });

  test("goes with every request to a service, recorded or not, and is met there", async () => {
    const app = new Hono().use(tracedServer()).get("/", (c) => c.text(c.req.header(HEADER) ?? ""));
    const upstream = tracedUpstream({ fetch: async (request) => app.fetch(request) }, { service: "orders" });
    const send = async () => (await upstream.fetch(new Request("http://orders/"))).text();
    expect(await send()).toBe("7");
    epoch = 8;
    expect(await withTrace({ traceparent: UNSAMPLED }, send)).toBe("8");
    expect(saw.mock.calls).toEqual([[7], [8]]);
  });

  test.each(["recorded", "unrecorded"])(
    "and the trace go on a copy where the headers of an %s request cannot be changed",
    async (kind) => {
      const request = new Request("http://orders/", { method: "POST", body: "the body" });
      request.headers.set = () => {
        throw new TypeError("Can't modify immutable headers.");
      };
      const upstream = tracedUpstream(
        {
          fetch: async (sent) => {
            expect(await sent.text()).toBe("the body");
            return Response.json([sent.headers.get("traceparent"), sent.headers.get(HEADER)]);
          },
        },
        { service: "orders" },
      );
      const answer = await withTrace(kind === "recorded" ? {} : { traceparent: UNSAMPLED }, () =>
        upstream.fetch(request),
      );
      const [traceparent, told] = (await answer.json()) as string[];
      expect(traceparent).toMatch(kind === "recorded" ? /^00-.*-01$/ : UNSAMPLED);
      expect(told).toBe("7");
    },
  );

  test("is met in a request that carries no trace", async () => {
    const app = new Hono().use(tracedServer()).get("/", (c) => c.text("here"));
    await app.request("/", { headers: { [HEADER]: "12" } });
    expect(saw).toHaveBeenCalledExactlyOnceWith(12);
  });

  test("goes with a commit through the log, and is met by processes and projections", async () => {
    const aggregate = { type: "order", id: "o-1" };
    const { payload, headers } = encodeCommit("orders", {
      aggregate,
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: "c",
      at: 0,
      events: [{ type: "OrderPlaced", data: {} }],
      trace: withTrace({ traceparent: UNSAMPLED }, injectTrace),
    });
    expect(headers.get("Skerry-Epoch")).toBe("7");
    const commit = decodeCommit({ aggregate, position: 1, payload, carrier: { headers } });
    withTrace(commit.trace, () => undefined);
    expect(saw).toHaveBeenLastCalledWith(7);
    const newer = { ...commit, trace: { ...commit.trace, [HEADER]: "9" } };
    await inCommitSpans("project", {}, [commit, newer], async () => undefined);
    expect(saw).toHaveBeenLastCalledWith(9);
  });

  test.each(["", "-1", "1.5", "7e3", "9999999999999999", "seven", "7, 7"])("%j is none", (text) => {
    withTrace({ [HEADER]: text }, () => undefined);
    expect(saw).not.toHaveBeenCalled();
  });

  test("that was just met is not told of again", () => {
    for (const text of ["7", "7", "8", "8"]) withTrace({ [HEADER]: text }, () => undefined);
    expect(saw.mock.calls).toEqual([[7], [8]]);
  });

  test("leaves the trace context as it is", () => {
    withTrace({ traceparent: UNSAMPLED, [HEADER]: "7" }, () => {
      expect(trace.getSpanContext(context.active())?.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
    });
    expect(trace.getSpanContext(ROOT_CONTEXT)).toBeUndefined();
  });
});
