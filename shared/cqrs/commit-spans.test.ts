import { beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "../events/event.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import { inCommitSpans } from "./commit-spans.ts";

const spans = recordSpans();
beforeEach(() => void spans.take());

const traceId = (n: number) => n.toString(16).padStart(32, "0");
const commit = (position: number, traceparent?: string): Commit => ({
  aggregate: { type: "order", id: "a" },
  position,
  commandId: `c${position}`,
  metadata: {},
  trace: traceparent === undefined ? {} : { traceparent },
  events: [],
});
const inTrace = (n: number, flags = "01") => commit(n, `00-${traceId(n)}-b7ad6b7169203331-${flags}`);
const run = (commits: Commit[], work = async () => "done") =>
  inCommitSpans("project orders", { n: 1 }, commits, work);

describe("inCommitSpans", () => {
  it("works once, with a consumer's span in each trace that led to the commits", async () => {
    let worked = 0;
    const result = await run([inTrace(1), inTrace(2), inTrace(2)], async () => `done ${++worked}`);
    expect(result).toBe("done 1");
    const ended = spans.take();
    expect(ended.map((span) => span.spanContext().traceId).toSorted()).toEqual([traceId(1), traceId(2)]);
    for (const span of ended) {
      expect(span).toMatchObject({ name: "project orders", kind: 4, attributes: { n: 1 } });
      expect(span.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
    }
  });

  it("makes no span for commits without a trace or of one that is not recorded, and still works", async () => {
    expect(await run([commit(1), inTrace(2, "00"), inTrace(3, "02"), commit(4, "nonsense")])).toBe("done");
    expect(spans.take()).toEqual([]);
  });

  it("makes a bounded number of spans for a backlog", async () => {
    await run(Array.from({ length: 500 }, (_, n) => inTrace(n + 1, "03")));
    expect(spans.take()).toHaveLength(32);
  });

  it("looks for no traces in a larger one", async () => {
    expect(await run(Array.from({ length: 501 }, (_, n) => inTrace(n + 1)))).toBe("done");
    expect(spans.take()).toEqual([]);
  });

  it("marks every trace's span as failed when the work fails, and passes the failure on", async () => {
    const failing = run([inTrace(1), inTrace(2)], () => Promise.reject(new RangeError("too far")));
    await expect(failing).rejects.toThrow("too far");
    expect(spans.take().map(({ attributes }) => attributes["error.type"])).toEqual([
      "RangeError",
      "RangeError",
    ]);
  });
});
