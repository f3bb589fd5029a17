/** Where a request goes: to a service of the registry, by `/{service}/v{major}/…`. */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Arrival } from "./arrival.ts";
import type { GatewayConfig } from "./contract.ts";
import type { Exchange, Handler } from "./exchange.ts";
import type { ServicePolicies } from "./policy/service-policies.ts";
import type { Tools } from "./policy/upstream-parts.ts";
import type { RegisteredServices, RegistryLink, RoutingRefusal } from "./registered-services.ts";
import { sendToService } from "./send-to-service.ts";
import { type ServicePath, servicePath } from "./service-path.ts";

export interface GatewayRoutesOptions {
  readonly link: RegistryLink;
  readonly services: RegisteredServices;
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  /** `config.get`: another object only when something has changed. */
  readonly config: () => GatewayConfig;
}

export interface GatewayRoute {
  readonly name: string;
  readonly service: string;
  /** For spans: "/orders/v1/*". */
  readonly template: string;
  readonly handler: Handler;
}

export type NoRoute =
  | { readonly code: "no_route" }
  | (Exclude<RoutingRefusal, { code: "not_registered" }> & { readonly path: ServicePath });

export interface GatewayRoutes {
  find(arrival: Arrival): Result<{ readonly route: GatewayRoute; readonly exchange: Exchange }, NoRoute>;
}

const NO_ROUTE = err({ code: "no_route" } as const);

export const gatewayRoutes = (options: GatewayRoutesOptions): GatewayRoutes => {
  const { link, services } = options;
  /** By the first two segments of the path: what was found once is found at once. */
  const known = new WeakMap<GatewayConfig, Map<string, GatewayRoute>>();

  const isRegistered = (service: string) => (link.entry(service)?.instances.length ?? 0) > 0;

  const ofRegistry = (path: string): Result<GatewayRoute, NoRoute> => {
    const found = servicePath(path);
    if (!found) return NO_ROUTE;
    const registered = services.find(found);
    if (!registered.ok) {
      const { error } = registered;
      if (!link.loaded()) return err({ code: "nothing_known", path: found });
      if (error.code === "not_registered") return NO_ROUTE;
      if (error.code === "no_such_major") return err({ ...error, path: found });
    }
    const { service, version } = found;
    const handler = sendToService({ ...options, path: found });
    return ok({ name: `${service}/${version}`, service, template: `/${service}/${version}/*`, handler });
  };

  return {
    find(arrival) {
      const { path } = arrival;
      const config = options.config();
      let routes = known.get(config);
      if (!routes) {
        routes = new Map();
        known.set(config, routes);
      }
      const key = firstTwoSegments(path);
      let route = routes.get(key);
      if (!route || !isRegistered(route.service)) {
        const found = ofRegistry(path);
        if (!found.ok) return found;
        route = found.value;
        if (routes.size >= LIMITS.gatewayRoutesKnown) routes.clear();
        routes.set(key, route);
      }
      return ok({ route, exchange: exchangeOf(arrival, route) });
    },
  };
};

const firstTwoSegments = (path: string): string => {
  const end = path.indexOf("/", path.indexOf("/", 1) + 1);
  return end < 0 ? path : path.slice(0, end);
};

const NO_PARAMS = {};

const exchangeOf = (
  { request, requestId, path, trace, platform }: Arrival,
  route: GatewayRoute,
): Exchange => ({
  request,
  requestId,
  path,
  trace,
  route: route.name,
  params: NO_PARAMS,
  service: route.service,
  waitUntil: (work) => platform.waitUntil(work),
});
