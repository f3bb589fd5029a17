/** A CLIENT span around each request to another service, which carries the trace to it. */
import {
  type Context,
  context,
  INVALID_TRACEID,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Upstream } from "../http/upstream.ts";
import { httpMethod } from "./http-method.ts";
import { failSpan, tracer, unsampledSpan } from "./span.ts";

/** An empty `tracestate` may be taken and should not be sent (W3C Trace Context, section 3.3.1.1). */
const intoHeaders = {
  set: (headers: Headers, key: string, value: string) =>
    value === "" ? headers.delete(key) : headers.set(key, value),
};

export interface TracedUpstream extends Upstream {
  /**
   * @param resends how often the same request was sent before; 0 when absent
   * @param parent the active context when absent
   */
  fetch(request: Request, resends?: number, parent?: Context): Promise<Response>;
}

/**
 * The same upstream, traced; `service` is its logical name (`service.peer.name`). The request passed in is given away:
 * its `traceparent` is set in place where the platform allows it, because a copy costs more than all the rest.
 */
export const tracedUpstream = (upstream: Upstream, { service }: { service: string }): TracedUpstream => ({
  fetch(request, resends = 0, parent = context.active()) {
    // An unsampled trace only has to stay one trace: no span of its own is needed for that.
    return unsampledSpan(parent)
      ? upstream.fetch(carryingTrace(request, parent))
      : fetchInSpan(upstream, request, { parent, service, resends });
  },
});

const fetchInSpan = async (
  upstream: Upstream,
  request: Request,
  { parent, service, resends }: { parent: Context; service: string; resends: number },
): Promise<Response> => {
  const span = tracer().startSpan(request.method, { kind: SpanKind.CLIENT }, parent);
  if (span.isRecording()) describeRequest(span, request, service);
  if (resends > 0) span.setAttribute("http.request.resend_count", resends);
  const active = trace.setSpan(parent, span);
  try {
    const response = await context.with(active, () => upstream.fetch(carryingTrace(request, active)));
    if (span.isRecording()) describeAnswer(span, response.status);
    return response;
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
};

/** Headers of a request that came from outside cannot be changed: then, and only then, it is copied. */
const carryingTrace = (request: Request, active: Context): Request => {
  try {
    carryTrace(active, request.headers);
    return request;
  } catch {
    const copy = new Request(request);
    carryTrace(active, copy.headers);
    return copy;
  }
};

/** A trace that began here has nothing to do with a `tracestate` that a client sent with a `traceparent` of no meaning, or none. */
const carryTrace = (active: Context, headers: Headers): void => {
  propagation.inject(active, headers, intoHeaders);
  const span = trace.getSpanContext(active);
  if (span && !span.traceState && span.traceId !== INVALID_TRACEID) headers.delete("tracestate");
};

const describeRequest = (span: Span, request: Request, service: string): void => {
  const url = new URL(request.url);
  const method = httpMethod(request.method);
  span.updateName(method.name);
  span.setAttributes({
    ...method.attributes,
    "service.peer.name": service,
    "server.address": url.hostname,
    ...(url.port && { "server.port": Number(url.port) }),
    "url.full": withoutSecrets(url),
  });
};

/** Credentials and the query (which may hold keys) stay out of traces. */
const withoutSecrets = (url: URL): string => `${url.origin}${url.pathname}`;

const describeAnswer = (span: Span, status: number): void => {
  span.setAttribute("http.response.status_code", status);
  if (status < 400) return;
  span.setAttribute("error.type", String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
};
