/** The gateway's composition root. */
import { env } from "cloudflare:workers";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { addOwnRoutes } from "./own-routes.ts";
import { createPipeline } from "./pipeline.ts";
import { MONITOR, SERVICES } from "./routes.ts";

type GatewayBindings = Readonly<Record<(typeof SERVICES)[number]["binding"] | "MONITOR", Fetcher>> & {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
};

const bindings = env as unknown as GatewayBindings;

const monitor = bindingUpstream(bindings[MONITOR.binding]);

const telemetry = startWorkerTelemetry({
  service: "gateway",
  version: "1.0.0",
  send: sendSpansTo({
    monitor,
    endpoint: bindings.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: bindings.OTEL_EXPORTER_OTLP_HEADERS,
  }),
});

const services = SERVICES.map((service) => ({
  ...service,
  upstream: tracedUpstream(bindingUpstream(bindings[service.binding]), { service: service.name }),
}));

const app = createPipeline({ services, monitor, newRequestId: () => crypto.randomUUID() });
addOwnRoutes(app, { services, monitor });

export default {
  fetch(request, _, context) {
    telemetry.flushSoon((work) => context.waitUntil(work));
    return app.fetch(request);
  },
} satisfies ExportedHandler;
