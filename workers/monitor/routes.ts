/** The monitor over HTTP: spans in, pages and their JSON twins out. */
import { type Context, Hono } from "hono";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import { readinessHandler } from "#shared/http/readiness.ts";
import { ok } from "#shared/result.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import { encodePlace, listQuery, pathAt } from "./list-query.ts";
import { pageHeaders } from "./page-headers.ts";
import { traceListPage } from "./pages/trace-list-page.tsx";
import { traceNotFoundPage } from "./pages/trace-not-found-page.tsx";
import { tracePage } from "./pages/trace-page.tsx";
import { takeSpans } from "./take-spans.ts";
import { summaryJson, traceJson } from "./trace-json.ts";
import type { TraceStoreMethods } from "./trace-store.ts";
import { waterfallOf } from "./waterfall.ts";

const TRACE_ID = /^[0-9a-f]{32}$/;

/** @param stores the Actors that keep traces; one of them keeps all */
export const monitorApp = (stores: Actors<TraceStoreMethods>): Hono => {
  const store = () => stores.named("traces");
  const app = new Hono();
  app.notFound((c) => notFound(c, `Looking for ${JSON.stringify(c.req.path)}: no such address.`));
  app.onError((_, c) => problem(c, "internal_error", "The request was not completed."));

  app.post("/v1/traces", (c) => takeSpans(c.req.raw, store()));
  app.get("/healthz", (c) => c.json({ service: "monitor", healthy: true }));
  app.get(
    "/readyz",
    readinessHandler("monitor", [
      { name: "trace store", check: async () => ok(await store().list({ limit: 1 })) },
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

const readTrace = async (store: TraceStoreMethods, traceId: string) =>
  TRACE_ID.test(traceId) ? store.read(traceId) : { spans: [], services: [] };

const problem = (c: Context, code: string, detail: string): Response =>
  problemResponse({ code, detail }, PLATFORM_PROBLEMS, { instance: c.req.path });

const notFound = (c: Context, detail: string): Response => problem(c, "not_found", detail);
