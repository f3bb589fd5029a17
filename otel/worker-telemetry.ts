/** Sets OpenTelemetry up for one isolate: a Worker, a Durable Object, or a Node process. */
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { suppressTracing, W3CTraceContextPropagator } from "@opentelemetry/core";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { type Sampler, TracerProvider } from "@opentelemetry/sdk-trace";
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from "@opentelemetry/semantic-conventions";
import { LIMITS } from "#shared/limits.ts";
import { type Clock, sleep as realSleep, type Sleep, systemClock } from "#shared/runtime/clock.ts";
import { flushLease } from "./flush-lease.ts";
import { otlpExporter, type SendSpans } from "./otlp-exporter.ts";
import { rateLimitedSampler } from "./sampler.ts";
import { spanBuffer } from "./span-buffer.ts";

export interface WorkerTelemetryOptions {
  /** `service.name` */
  readonly service: string;
  /** `service.version` */
  readonly version: string;
  /** See `sendSpansTo`. */
  readonly send: SendSpans;
  /** `rateLimitedSampler` when absent. */
  readonly sampler?: Sampler;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  /** Told at most once a second how many spans were lost and why; a console warning when absent. */
  readonly onDropped?: (spans: number, reason: string) => void;
}

export interface WorkerTelemetry {
  /**
   * Sends what has ended, and what is still open and ends soon, within a second of its end: one loop per isolate,
   * carried by the `waitUntil` of one request or Actor. Cheap when a loop runs already: call it for every request.
   */
  flushSoon(waitUntil: (work: Promise<unknown>) => void): void;
}

const FLUSH_MS = 1_000;

let started: WorkerTelemetry | undefined;

/** Registers the provider on the first call in an isolate; later calls return the first one's telemetry. */
export const startWorkerTelemetry = (options: WorkerTelemetryOptions): WorkerTelemetry => {
  started ??= start(options);
  return started;
};

const start = (options: WorkerTelemetryOptions): WorkerTelemetry => {
  const { clock = systemClock, sleep = realSleep, onDropped = warnAboutDropped } = options;
  const buffer = spanBuffer({ capacity: LIMITS.spansBuffered, clock });
  register(options, buffer.processor, clock);
  const exportSpans = otlpExporter({ send: options.send, sleep, random: Math.random });

  const flush = async () => {
    const spans = buffer.take();
    const overflow = buffer.takeOverflow();
    if (overflow > 0) onDropped(overflow, "more ended in a second than the buffer holds");
    if (spans.length === 0) return;
    const { dropped, reason } = await context.with(UNTRACED, () => exportSpans(spans));
    if (dropped > 0) onDropped(dropped, reason ?? "");
  };

  return {
    flushSoon: flushLease({ intervalMs: FLUSH_MS, clock, sleep, flush, expectsMore: buffer.expectsMore }),
  };
};

/** Sending spans must not make spans. */
const UNTRACED = suppressTracing(ROOT_CONTEXT);

const register = (
  { service, version, sampler }: WorkerTelemetryOptions,
  processor: ReturnType<typeof spanBuffer>["processor"],
  clock: Clock,
): void => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new TracerProvider({
      resource: defaultResource().merge(
        resourceFromAttributes({
          [ATTR_SERVICE_NAME]: service,
          [ATTR_SERVICE_VERSION]: version,
          "service.namespace": "skerry",
        }),
      ),
      sampler: sampler ?? rateLimitedSampler({ clock }),
      spanProcessors: [processor],
      spanLimits: { attributeValueLengthLimit: 4_096, attributeCountLimit: 64, eventCountLimit: 64 },
    }),
  );
};

const warnAboutDropped = (spans: number, reason: string): void =>
  console.warn(`Telemetry: ${spans} spans were dropped, ${reason}`);
