/** A SERVER span for each request, by the stable HTTP conventions. */
import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Context as TraceContext,
  trace,
} from "@opentelemetry/api";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { EPOCH_FIELD } from "../control/epoch-field.ts";
import { httpMethod } from "./http-method.ts";
import { failSpan, tracer, unsampledSpan } from "./span.ts";
import { unsampledTrace } from "./unsampled-trace.ts";

const fromHeaders: TextMapGetter<Headers> = {
  get: (headers, key) => headers.get(key) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

/**
 * Runs the rest of the pipeline inside a span named `METHOD route`, child of the caller's `traceparent`.
 * Register it first, with `app.use(tracedServer())`.
 * @param routeOf the route's template where the app's own routes do not tell it; asked for recorded spans only
 */
export const tracedServer = (routeOf: (c: Context) => string | undefined = matchedRoute): MiddlewareHandler =>
  function tracedServer(c, next) {
    const served = { request: c.req.raw, path: c.req.path, routeOf: () => routeOf(c) };
    const work = async () => {
      await next();
      return { status: c.res.status, error: c.error };
    };
    return servedInSpan(served, (parent) => context.with(parent, work)).then(() => undefined);
  };

export interface Served {
  readonly request: Request;
  /** The request's header fields, where they are read already; its `headers` when absent. */
  readonly fields?: Pick<Headers, "has">;
  /** Of its URL. */
  readonly path: string;
  /** The route's template; asked for recorded spans only, when there is an answer. */
  readonly routeOf: () => string | undefined;
  /** Whether a request without a caller's trace will be recorded, where that can be told before a span is made. */
  readonly startsTrace?: ((path: string) => boolean) | undefined;
}

interface Answered {
  readonly status: number;
  readonly error?: unknown;
}

/**
 * Does the work as a SERVER span, child of the caller's `traceparent`. Attributes are only gathered for spans that are
 * recorded, and only those are active already when the work begins: this stands on the gateway's hot path.
 * @param work gets the context that is to be active in it, or to be told on
 */
export const servedInSpan = async <Answer extends Answered>(
  served: Served,
  work: (active: TraceContext) => Promise<Answer>,
): Promise<Answer> => {
  const { request, fields = request.headers, path, startsTrace } = served;
  const parent = callersContext(request.headers, fields);
  if (parent === ROOT_CONTEXT && startsTrace?.(path) === false) return work(unsampledTrace());
  if (unsampledSpan(parent)) return work(parent);
  // The path is there from the start because samplers may go by it.
  const attributes = { "url.path": path };
  const span = tracer().startSpan(request.method, { kind: SpanKind.SERVER, attributes }, parent);
  const active = trace.setSpan(parent, span);
  if (!span.isRecording()) return work(active);
  describeRequest(span, request);
  try {
    const answer = await context.with(active, work, undefined, active);
    describeAnswer(span, answer, { method: request.method, route: served.routeOf() });
    return answer;
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
};

/** Most requests from outside carry neither: asking for two headers costs less than what extracting makes. */
const callersContext = (headers: Headers, fields: Pick<Headers, "has">): TraceContext =>
  fields.has("traceparent") || fields.has(EPOCH_FIELD)
    ? withKnownFlags(propagation.extract(ROOT_CONTEXT, headers, fromHeaders))
    : ROOT_CONTEXT;

/** Sampled, and that the trace's id is random: all other flags are to be 0 when told on (W3C Trace Context, section 3.2.2.5.3). */
const KNOWN_FLAGS = 0b11;

const withKnownFlags = (parent: TraceContext): TraceContext => {
  const caller = trace.getSpanContext(parent);
  return caller && caller.traceFlags > KNOWN_FLAGS
    ? trace.setSpanContext(parent, { ...caller, traceFlags: caller.traceFlags & KNOWN_FLAGS })
    : parent;
};

const describeRequest = (span: Span, { url: target, method, headers }: Request): void => {
  // The target of "OPTIONS *" is no URL.
  const url = URL.parse(target);
  const userAgent = headers.get("user-agent");
  span.setAttributes({
    ...httpMethod(method).attributes,
    ...(url && { "url.scheme": url.protocol.slice(0, -1), "server.address": url.hostname }),
    ...(url?.port && { "server.port": Number(url.port) }),
    ...(userAgent && { "user_agent.original": userAgent }),
  });
};

const describeAnswer = (
  span: Span,
  { status, error }: Answered,
  { method, route }: { readonly method: string; readonly route: string | undefined },
): void => {
  const { name } = httpMethod(method);
  span.updateName(route ? `${name} ${route}` : name);
  if (route) span.setAttribute("http.route", route);
  span.setAttribute("http.response.status_code", status);
  if (status < 500) return;
  if (error instanceof Error) span.recordException(error);
  span.setAttribute("error.type", String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
};

/** The template of the most specific route that matched; none when only middleware for everything did. */
export const matchedRoute = (c: Context): string | undefined =>
  matchedRoutes(c).findLast(({ path }) => path !== "*" && path !== "/*")?.path;
