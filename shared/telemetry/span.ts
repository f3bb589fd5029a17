/** Work inside a span: the one way the project makes spans of its own. */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export interface SpanOptions {
  /** `internal` when absent. */
  readonly kind?: keyof typeof KINDS;
  /** Known when the work starts; later ones by `span.setAttribute`. */
  readonly attributes?: Attributes;
}

/** The project's tracer; does nothing until a provider is registered. */
export const tracer = (): Tracer => trace.getTracer("skerry");

/** The span of a trace that nobody records; undefined in a recorded one and outside of any. */
export const unsampledSpan = (active: Context): Span | undefined => {
  const span = trace.getSpan(active);
  const caller = span?.spanContext();
  return caller && isSpanContextValid(caller) && !(caller.traceFlags & TraceFlags.SAMPLED) ? span : undefined;
};

/**
 * Runs `work` as the active span and ends the span when it settles.
 * A rejection is recorded (`exception` event, status ERROR, `error.type`) and passed on.
 * An unsampled trace only has to stay one trace: there, no span is made.
 */
export const inSpan = async <T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const parent = context.active();
  const unsampled = unsampledSpan(parent);
  if (unsampled) return work(unsampled);
  const span = tracer().startSpan(
    name,
    {
      kind: KINDS[options.kind ?? "internal"],
      ...(options.attributes && { attributes: options.attributes }),
    },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
};

/** Marks a span as failed by what was thrown; it still has to be ended. */
export const failSpan = (span: Span, thrown: unknown): void => {
  if (!span.isRecording()) return;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.recordException(error);
  span.setAttribute("error.type", error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
};

/** Marks a span as failed by a refusal, which is a value and was not thrown. */
export const refuseSpan = (span: Span, refusal: { readonly code: string; readonly detail: string }): void => {
  span.setAttribute("error.type", refusal.code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: refusal.detail });
};
