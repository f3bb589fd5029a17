/** The monitor over HTTP: spans and metrics in, pages and their JSON twins out. */
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import { readinessHandler } from "#shared/http/readiness.ts";
import { ok } from "#shared/result.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import { encodePlace, listQuery, pathAt } from "./list-query.ts";
import type { MetricStoreMethods } from "./metric-store.ts";
import { metricsJson } from "./metrics-json.ts";
import { pageHeaders } from "./page-headers.ts";
import { metricsPage } from "./pages/metrics-page.tsx";
import { traceListPage } from "./pages/trace-list-page.tsx";
import { traceNotFoundPage } from "./pages/trace-not-found-page.tsx";
import { tracePage } from "./pages/trace-page.tsx";
import { takeMetrics } from "./take-metrics.ts";
import { takeSpans } from "./take-spans.ts";
import { summaryJson, traceJson } from "./trace-json.ts";
import type { TraceStoreMethods } from "./trace-store.ts";
import { waterfallOf } from "./waterfall.ts";

const TRACE_ID = /^[0-9a-f]{32}$/;

export interface MonitorStores {
  /** One of them keeps all. */
  readonly traces: Actors<TraceStoreMethods>;
  /** One of them keeps all, apart from the traces: the two wait for each other nowhere. */
  readonly metrics: Actors<MetricStoreMethods>;
}

export const monitorApp = (stores: MonitorStores): Hono => {
  const store = () => stores.traces.named("traces");
  const metrics = () => stores.metrics.named("metrics");
  const app = new Hono();
  app.notFound((c) => notFound(c, `Looking for ${JSON.stringify(c.req.path)}: no such address.`));
  app.onError((_, c) => problem(c, "internal_error", "The request was not completed."));

  app.post("/v1/traces", (c) => takeSpans(c.req.raw, store()));
  app.post("/v1/metrics", (c) => takeMetrics(c.req.raw, metrics()));
  app.get("/healthz", (c) => c.json({ service: "monitor", healthy: true }));
  app.get(
    "/readyz",
    readinessHandler("monitor", [
      { name: "trace store", check: async () => ok(await store().list({ limit: 1 })) },
      { name: "metric store", check: async () => ok(await metrics().add([])) },
    ]),
  );

  app.get("/monitor", (c) => c.redirect("/monitor/"));
  app.get("/monitor/", async (c) => {
    const query = listQuery(c.req.query());
    if (!query.ok) return problem(c, query.error.code, query.error.detail);
    const page = await store().list(query.value);
    const nonce = crypto.randomUUID();
    return c.html(
      traceListPage({ page, filter: query.value, url: c.req.url, nonce }),
      200,
      pageHeaders(nonce),
    );
  });
  app.get("/monitor/traces/:traceId", async (c) => {
    const nonce = crypto.randomUUID();
    const traceId = c.req.param("traceId");
    const { spans, services } = await readTrace(store(), traceId);
    return spans.length === 0
      ? c.html(traceNotFoundPage({ traceId, nonce }), 404, pageHeaders(nonce))
      : c.html(tracePage({ waterfall: waterfallOf(spans), services, nonce }), 200, pageHeaders(nonce));
  });

  app.get("/monitor/metrics", async (c) => {
    const series = await metrics().list({});
    c.header("vary", "accept");
    if (!isPageWanted(c)) return c.json(metricsJson(series));
    const { services } = await store().list({ limit: 1 });
    const nonce = crypto.randomUUID();
    return c.html(metricsPage({ series, services, nonce }), 200, pageHeaders(nonce));
  });

  app.get("/monitor/api/traces", async (c) => {
    const query = listQuery(c.req.query());
    if (!query.ok) return problem(c, query.error.code, query.error.detail);
    const { traces, next } = await store().list(query.value);
    if (next) c.header("link", `<${pathAt(c.req.url, next)}>; rel="next"`);
    return c.json({ items: traces.map(summaryJson), ...(next && { nextCursor: encodePlace(next) }) });
  });
  app.get("/monitor/api/traces/:traceId", async (c) => {
    const traceId = c.req.param("traceId");
    const { spans } = await readTrace(store(), traceId);
    return spans.length === 0
      ? notFound(
          c,
          `Looking for the trace ${JSON.stringify(traceId.slice(0, 64))}: it is not kept (any more).`,
        )
      : c.json(traceJson(traceId, waterfallOf(spans)));
  });
  return app;
};

const isPageWanted = (c: Context): boolean => {
  const supports = ["application/json", "text/html"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/html";
};

const readTrace = async (store: TraceStoreMethods, traceId: string) =>
  TRACE_ID.test(traceId) ? store.read(traceId) : { spans: [], services: [] };

const problem = (c: Context, code: string, detail: string): Response =>
  problemResponse({ code, detail }, PLATFORM_PROBLEMS, { instance: c.req.path });

const notFound = (c: Context, detail: string): Response => problem(c, "not_found", detail);
