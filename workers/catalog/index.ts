/** The catalog's composition root. */
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { readyFor } from "#shared/control/ready-for.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { ok } from "#shared/result.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { type ControlEnv, serviceControl } from "../service-control.ts";
import { type ServiceIdentityEnv, serviceIdentity } from "../service-identity.ts";
import { CATALOG, CATALOG_CONFIG, CATALOG_PROBLEMS } from "./contract.ts";
import { createProducts } from "./products.ts";
import { addCatalogRoutes } from "./routes.ts";

interface CatalogEnv extends ControlEnv, ServiceIdentityEnv {
  readonly DB: D1Database;
  readonly MONITOR: Fetcher;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
}

const bindings = env as unknown as CatalogEnv;

const makeCatalog = () => {
  const { link, config } = serviceControl(CATALOG.service, CATALOG_CONFIG, bindings);
  const telemetry = startWorkerTelemetry({
    service: CATALOG.service,
    version: CATALOG.version,
    epochs: { current: link.epoch, saw: link.saw },
    send: sendSpansTo({
      monitor: bindingUpstream(bindings.MONITOR),
      endpoint: bindings.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: bindings.OTEL_EXPORTER_OTLP_HEADERS,
    }),
  });
  const { DB } = bindings;
  const app = createServiceApp({
    name: CATALOG.service,
    major: CATALOG.major,
    description: "What the shop sells, and for how much.",
    problems: CATALOG_PROBLEMS,
    readiness: [
      { name: "database", check: async () => ok(await DB.prepare("SELECT 1 FROM products").first()) },
    ],
    config,
    identity: { verifier: serviceIdentity(CATALOG.service, bindings) },
  });
  addCatalogRoutes(app, createProducts(drizzle(tracedD1(DB, CATALOG.service)), systemClock), config);
  return { link, telemetry, app };
};

let catalog: ReturnType<typeof makeCatalog> | undefined;

export default {
  async fetch(request, _, context) {
    catalog ??= makeCatalog();
    const { link, telemetry, app } = catalog;
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
    telemetry.flushSoon(waitUntil);
    await readyFor(request, link, waitUntil);
    const answer = await app.fetch(request, bindings, context);
    link.lookSoon(waitUntil);
    return answer;
  },
} satisfies ExportedHandler;
