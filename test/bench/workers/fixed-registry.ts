/**
 * Answers looks as the control plane does that never changes: every service of the shop at the binding of its name, and a
 * configuration of the gateway.
 */
import type { Changes, JsonObject, Look } from "#shared/control/changes.ts";

interface Env {
  /** Of the gateway, as JSON; nothing but its defaults when absent. */
  readonly GATEWAY_CONFIG?: string;
  /** So many routes beside: "/r{n}/v1/products/:sku" to the catalog. */
  readonly ROUTES?: string;
}

const EPOCH = 1;

const SERVICES = ["catalog", "orders", "inventory", "payments"];

const routes = (count: number): JsonObject =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      `r${n}`,
      { match: { path: `/r${n}/v1/products/:sku` }, to: { service: "catalog", major: 1 } },
    ]),
  );

const everything = ({ GATEWAY_CONFIG, ROUTES }: Env): Changes => ({
  epoch: EPOCH,
  changedAt: Date.now(),
  whole: true,
  config: {
    service: "gateway",
    profile: "default",
    epoch: EPOCH,
    value: { ...JSON.parse(GATEWAY_CONFIG ?? "{}"), routes: routes(Number(ROUTES ?? 0)) },
    flags: {},
  },
  services: SERVICES.map((service) => ({
    service,
    epoch: EPOCH,
    instances: [
      { id: service, version: "1.0.0", state: "up", binding: service.toUpperCase(), weight: 1, metadata: {} },
    ],
  })),
});

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== "/internal/changes") return new Response(null, { status: 200 });
    const { epoch, service } = await request.json<Look>();
    if (epoch >= EPOCH) return new Response(null, { status: 204 });
    const { config, ...rest } = everything(env);
    return Response.json(service === "gateway" ? { ...rest, config } : rest);
  },
} satisfies ExportedHandler<Env>;
