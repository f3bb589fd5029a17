/** The catalog's composition root. */
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { ok } from "#shared/result.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { CATALOG, CATALOG_PROBLEMS } from "./contract.ts";
import { createProducts } from "./products.ts";
import { addCatalogRoutes } from "./routes.ts";

type CatalogEnv = {
  readonly DB: D1Database;
  readonly MONITOR: Fetcher;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
};

const { DB, MONITOR, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS } = env as unknown as CatalogEnv;

const telemetry = startWorkerTelemetry({
  service: CATALOG.service,
  version: `${CATALOG.major}.0.0`,
  send: sendSpansTo({
    monitor: bindingUpstream(MONITOR),
    endpoint: OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: OTEL_EXPORTER_OTLP_HEADERS,
  }),
});

const app = createServiceApp({
  name: CATALOG.service,
  major: CATALOG.major,
  description: "What the shop sells, and for how much.",
  problems: CATALOG_PROBLEMS,
  readiness: [
    { name: "database", check: async () => ok(await DB.prepare("SELECT 1 FROM products").first()) },
  ],
});
addCatalogRoutes(app, createProducts(drizzle(tracedD1(DB, CATALOG.service)), systemClock));

export default {
  fetch(request, bindings, context) {
    telemetry.flushSoon((work) => context.waitUntil(work));
    return app.fetch(request, bindings, context);
  },
} satisfies ExportedHandler;
