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

const fromHeaders: TextMapGetter<Headers> = {
  get: (headers, key) => headers.get(key) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

/**
 * Runs the rest of the pipeline inside a span named `METHOD route`, child of the caller's `traceparent`.
 * Attributes are only gathered for spans that are recorded: this stands on the gateway's hot path.
 * Register it first, with `app.use(tracedServer())`.
 * @param routeOf the route's template where the app's own routes do not tell it; asked for recorded spans only
 */
export const tracedServer = (routeOf: (c: Context) => string | undefined = matchedRoute): MiddlewareHandler =>
  async function tracedServer(c, next) {
    const parent = callersContext(c.req.raw.headers);
    if (unsampledSpan(parent)) return context.with(parent, next);
    // The path is there from the start because samplers may go by it.
    const attributes = { "url.path": c.req.path };
    const span = tracer().startSpan(c.req.method, { kind: SpanKind.SERVER, attributes }, parent);
    if (span.isRecording()) describeRequest(span, c);
    try {
      await context.with(trace.setSpan(parent, span), next);
      if (span.isRecording()) describeAnswer(span, c, routeOf(c));
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  };

/** Most requests from outside carry neither: asking for two headers costs less than what extracting makes. */
const callersContext = (headers: Headers): TraceContext =>
  headers.has("traceparent") || headers.has(EPOCH_FIELD)
    ? propagation.extract(ROOT_CONTEXT, headers, fromHeaders)
    : ROOT_CONTEXT;

const describeRequest = (span: Span, c: Context): void => {
  // The target of "OPTIONS *" is no URL.
  const url = URL.parse(c.req.url);
  const userAgent = c.req.header("user-agent");
  span.setAttributes({
    ...httpMethod(c.req.method).attributes,
    ...(url && { "url.scheme": url.protocol.slice(0, -1), "server.address": url.hostname }),
    ...(url?.port && { "server.port": Number(url.port) }),
    ...(userAgent && { "user_agent.original": userAgent }),
  });
};

const describeAnswer = (span: Span, c: Context, route: string | undefined): void => {
  const { status } = c.res;
  const { name } = httpMethod(c.req.method);
  span.updateName(route ? `${name} ${route}` : name);
  if (route) span.setAttribute("http.route", route);
  span.setAttribute("http.response.status_code", status);
  if (status < 500) return;
  if (c.error) span.recordException(c.error);
  span.setAttribute("error.type", String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
};

/** The template of the most specific route that matched; none when only middleware for everything did. */
export const matchedRoute = (c: Context): string | undefined =>
  matchedRoutes(c).findLast(({ path }) => path !== "*" && path !== "/*")?.path;
