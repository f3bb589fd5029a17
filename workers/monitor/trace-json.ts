/** The monitor's JSON: times are RFC 3339, durations milliseconds. */
import { rfc3339 } from "#shared/runtime/clock.ts";
import type { TraceSummary } from "./trace-list.ts";
import type { Waterfall } from "./waterfall.ts";

const ms = (us: number): number => us / 1_000;
const time = (us: number): string => rfc3339(Math.floor(us / 1_000));

export const summaryJson = (trace: TraceSummary) => ({
  traceId: trace.traceId,
  startTime: time(trace.startUs),
  durationMs: ms(trace.endUs - trace.startUs),
  rootName: trace.rootName,
  rootService: trace.rootService,
  services: trace.services,
  spanCount: trace.spanCount,
  errorCount: trace.errorCount,
});

/** Spans in the waterfall's order; `startOffsetMs` is where the page draws them. */
export const traceJson = (traceId: string, { startUs, durationUs, rows }: Waterfall) => ({
  traceId,
  startTime: time(startUs),
  durationMs: ms(durationUs),
  spans: rows.map(({ span, depth, orphan, startOffsetUs, durationUs: spanUs, shiftUs }) => ({
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    service: span.service,
    name: span.name,
    kind: span.kind,
    status: span.status,
    depth,
    orphan,
    startTime: time(span.startUs),
    startOffsetMs: ms(startOffsetUs),
    durationMs: ms(spanUs),
    shiftedMs: ms(shiftUs),
    ...span.detail,
    events: span.detail.events.map(({ name, atUs, attributes }) => ({ name, time: time(atUs), attributes })),
  })),
});
