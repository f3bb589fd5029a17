/** What holds for telemetry on every runtime: claims about what leaves, seen from the receiver. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { ReceivedSpan, TelemetryReceiver } from "./telemetry-receiver.ts";

/** The app of `telemetry-app.ts`, running twice: `get` reaches the one that calls the other. */
export interface TelemetryHost {
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  readonly receiver: TelemetryReceiver;
  stop(): Promise<void>;
}

export const telemetrySuite = (runtime: string, start: () => Promise<TelemetryHost>): void => {
  describe(`telemetry on ${runtime}`, () => {
    let host: TelemetryHost;
    beforeAll(async () => {
      host = await start();
    });
    afterAll(() => host.stop());

    const traceOf = async (traceparent: string, count: number) => {
      const traceId = traceparent.split("-")[1];
      const ofTrace = (spans: ReceivedSpan[]) => spans.filter((span) => span.traceId === traceId);
      return ofTrace(await host.receiver.received((spans) => ofTrace(spans).length >= count));
    };
    const traceparentIn = async (response: Response) =>
      ((await response.json()) as { traceparent: string }).traceparent;
    const named = (spans: ReceivedSpan[], name: string): ReceivedSpan => {
      const span = spans.find((each) => each.name === name);
      if (!span) throw new Error(`No span "${name}" among ${spans.map((each) => each.name).join(", ")}`);
      return span;
    };

    test("a request through two services is one trace, each span the child of its caller's", async () => {
      const spans = await traceOf(await traceparentIn(await host.get("/call/o-1")), 4);
      const front = named(spans, "GET /call/:id");
      const client = named(spans, "GET");
      const back = named(spans, "GET /task/:id");
      const work = named(spans, "work");
      expect(front.parentSpanId).toBeUndefined();
      expect([client.parentSpanId, back.parentSpanId, work.parentSpanId]).toEqual([
        front.spanId,
        client.spanId,
        back.spanId,
      ]);
      expect([front.kind, client.kind, back.kind, work.kind]).toEqual([2, 3, 2, 1]);
    });

    test("spans follow the HTTP conventions and keep the query out of the caller's URL", async () => {
      const spans = await traceOf(await traceparentIn(await host.get("/call/o-2")), 4);
      expect(named(spans, "GET /task/:id").attributes).toMatchObject({
        "http.request.method": "GET",
        "http.route": "/task/:id",
        "http.response.status_code": 200,
        "url.path": "/task/o-2",
        "url.scheme": "http",
        "server.address": "back",
      });
      expect(named(spans, "GET").attributes).toMatchObject({
        "service.peer.name": "back",
        "url.full": "http://back/task/o-2",
        "http.response.status_code": 200,
      });
      expect(named(spans, "work").resource).toMatchObject({
        "service.namespace": "skerry",
        "service.version": "1.2.3",
      });
    });

    test("the client's trace goes on", async () => {
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      await host.get("/task/o-3", { traceparent });
      const spans = await traceOf(traceparent, 2);
      expect(named(spans, "GET /task/:id").parentSpanId).toBe("b7ad6b7169203331");
    });

    test("a trace that the client does not want recorded stays one trace and is not recorded", async () => {
      const unwanted = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
      const inside = await traceparentIn(await host.get("/call/o-4", { traceparent: unwanted }));
      expect(inside).toMatch(/^00-1af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
      await traceOf(await traceparentIn(await host.get("/call/o-5")), 4);
      const all = await host.receiver.received(() => true);
      expect(all.filter(({ traceId }) => traceId.startsWith("1af7"))).toEqual([]);
    });

    test("a span that ends after the answer leaves without a further request", async () => {
      const spans = await traceOf(await traceparentIn(await host.get("/late")), 2);
      expect(named(spans, "late").parentSpanId).toBe(named(spans, "GET /late").spanId);
    });

    test("what a handler throws is on the server's span", async () => {
      const traceparent = "00-2af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      expect((await host.get("/throw", { traceparent })).status).toBe(500);
      const [span] = await traceOf(traceparent, 1);
      expect(span?.status.code).toBe(2);
      expect(span?.attributes["error.type"]).toBe("500");
      expect(JSON.stringify(span?.events)).toContain("the fixture always throws");
    });

    test("no more spans wait than the buffer holds, and what came first leaves", async () => {
      const count = LIMITS.spansBuffered + 500;
      const traceparent = await traceparentIn(await host.get(`/many?count=${count}`));
      await traceOf(traceparent, LIMITS.spansBuffered);
      await traceOf(await traceparentIn(await host.get("/late")), 2);
      expect((await traceOf(traceparent, 0)).length).toBe(LIMITS.spansBuffered);
    });
  });
};
