/** Sets OpenTelemetry up for one isolate: a Worker, a Durable Object, or a Node process. */
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { suppressTracing, W3CTraceContextPropagator } from "@opentelemetry/core";
import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { type Sampler, TracerProvider } from "@opentelemetry/sdk-trace";
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from "@opentelemetry/semantic-conventions";
import { LIMITS } from "#shared/limits.ts";
import { type Clock, sleep as realSleep, type Sleep, systemClock } from "#shared/runtime/clock.ts";
import { type Epochs, epochPropagator } from "./epoch-propagator.ts";
import { flushLease } from "./flush-lease.ts";
import { otlpExporter } from "./otlp-exporter.ts";
import type { ExportOutcome, SendSpans } from "./post-otlp.ts";
import { rateLimitedSampler } from "./sampler.ts";
import { spanBuffer } from "./span-buffer.ts";
import { workerMetrics } from "./worker-metrics.ts";

export interface WorkerTelemetryOptions {
  /** `service.name` */
  readonly service: string;
  /** `service.version` */
  readonly version: string;
  /** See `sendSpansTo`. */
  readonly send: SendSpans;
  /** `rateLimitedSampler` when absent. */
  readonly sampler?: Sampler;
  /** The epoch that rides beside the trace context; none does when absent. */
  readonly epochs?: Epochs;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  /** Told at most once a second how much was lost and why; a console warning when absent. */
  readonly onDropped?: (count: number, reason: string, what: "spans" | "data points") => void;
}

export interface WorkerTelemetry {
  /**
   * Sends what has ended, and what is still open and ends soon, within a second of its end, and the metrics that were
   * recorded meanwhile: one loop per isolate, carried by the `waitUntil` of one request or Actor. Cheap when a loop runs
   * already: call it for every request.
   */
  flushSoon(waitUntil: (work: Promise<unknown>) => void): void;
  /** See `RateLimitedSampler`; true when another sampler decides. */
  startsTrace(path: string): boolean;
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
  const resource = resourceOf(options);
  const rateLimited = rateLimitedSampler({ clock });
  const sampler = options.sampler ?? rateLimited;
  register({ sampler, epochs: options.epochs }, resource, buffer.processor);
  const exporting = { send: options.send, sleep, random: Math.random };
  const exportSpans = otlpExporter(exporting);
  const metrics = workerMetrics(resource, exporting);

  const flushSpans = async (): Promise<ExportOutcome | undefined> => {
    const spans = buffer.take();
    const overflow = buffer.takeOverflow();
    if (overflow > 0) onDropped(overflow, "more ended in a second than the buffer holds", "spans");
    return spans.length > 0 ? exportSpans(spans) : undefined;
  };

  const flush = async () => {
    const [spans, points] = await context.with(UNTRACED, () => Promise.all([flushSpans(), metrics.flush()]));
    if (spans && spans.dropped > 0) onDropped(spans.dropped, spans.reason ?? "", "spans");
    if (points.dropped > 0) onDropped(points.dropped, points.reason ?? "", "data points");
  };

  return {
    startsTrace: (path) => sampler !== rateLimited || rateLimited.startsTrace(path),
    flushSoon: flushLease({ intervalMs: FLUSH_MS, clock, sleep, flush, expectsMore: buffer.expectsMore }),
  };
};

/** Sending telemetry must not make spans. */
const UNTRACED = suppressTracing(ROOT_CONTEXT);

const resourceOf = ({ service, version }: WorkerTelemetryOptions): Resource =>
  defaultResource().merge(
    resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_VERSION]: version,
      "service.namespace": "skerry",
    }),
  );

const register = (
  { sampler, epochs }: { readonly sampler: Sampler; readonly epochs: Epochs | undefined },
  resource: Resource,
  processor: ReturnType<typeof spanBuffer>["processor"],
): void => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const traceContext = new W3CTraceContextPropagator();
  propagation.setGlobalPropagator(epochs ? epochPropagator(traceContext, epochs) : traceContext);
  trace.setGlobalTracerProvider(
    new TracerProvider({
      resource,
      sampler,
      spanProcessors: [processor],
      spanLimits: { attributeValueLengthLimit: 4_096, attributeCountLimit: 64, eventCountLimit: 64 },
    }),
  );
};

const warnAboutDropped = (count: number, reason: string, what: string): void =>
  console.warn(`Telemetry: ${count} ${what} were dropped, ${reason}`);
