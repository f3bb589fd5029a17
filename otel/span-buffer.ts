/** Ended spans that wait to be sent: bounded, plain data, owned by no request. */
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Clock } from "#shared/runtime/clock.ts";

export interface SpanBuffer {
  /** Register with the provider. */
  readonly processor: SpanProcessor;
  /** Hands over everything that waits. */
  take(): ReadableSpan[];
  /** True while spans wait, or are open and expected to end soon. */
  expectsMore(): boolean;
  /** Spans that found the buffer full, since the last call. */
  takeOverflow(): number;
}

/** A span older than this belongs to a request that was cancelled or to endless work: nobody waits for its end. */
const OPEN_MS = 30_000;

/** Keeps at most `capacity` ended spans; later ones are dropped and counted, so that what stands is whole from its start. */
export const spanBuffer = ({ capacity, clock }: { capacity: number; clock: Clock }): SpanBuffer => {
  let ended: ReadableSpan[] = [];
  let overflow = 0;
  const openSince = new Map<string, number>();

  const forgetOldOpenSpans = () => {
    const tooOld = clock() - OPEN_MS;
    for (const [spanId, since] of openSince) {
      if (since > tooOld) return;
      openSince.delete(spanId);
    }
  };

  const forgetOldestOpenSpan = () => {
    for (const spanId of openSince.keys()) {
      openSince.delete(spanId);
      return;
    }
  };

  return {
    processor: {
      onStart: (span) => {
        if (openSince.size >= capacity) forgetOldestOpenSpan();
        openSince.set(span.spanContext().spanId, clock());
      },
      onEnd: (span) => {
        openSince.delete(span.spanContext().spanId);
        if (ended.length < capacity) ended.push(span);
        else overflow += 1;
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    },
    take: () => {
      const taken = ended;
      ended = [];
      return taken;
    },
    expectsMore: () => {
      forgetOldOpenSpans();
      return ended.length > 0 || openSince.size > 0;
    },
    takeOverflow: () => {
      const taken = overflow;
      overflow = 0;
      return taken;
    },
  };
};
