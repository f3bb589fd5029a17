/** Where requests go: by the routes of the configuration first, then by the registry. */
import { err, ok, type Result } from "#shared/result.ts";
import type { Arrival } from "./arrival.ts";
import { clientAddressOf } from "./client-address.ts";
import { compileRoute, type PartsOptions } from "./compile-route.ts";
import { configuredWays, routeTables } from "./configured-ways.ts";
import type { GatewayConfig } from "./contract.ts";
import type { Exchange, Handler } from "./exchange.ts";
import type { NoWay } from "./no-way.ts";
import type { SendElsewhere } from "./parts/fallback/elsewhere.ts";
import { versionRule } from "./parts/versions/asked-version.ts";
import { mergedPart } from "./policy/merged-part.ts";
import type { WrittenPolicy } from "./policy/policy-schema.ts";
import { layersOf, type RoutesOwn } from "./policy/service-policies.ts";
import { registryWays } from "./registry-ways.ts";
import type { Destination } from "./routes/destinations.ts";
import type { RouteTable } from "./routes/route-table.ts";
import { type SendOptions, sendToNobody, sendToService, sendToUrl } from "./send.ts";
import { sendElsewhere } from "./send-elsewhere.ts";
import { exchangeOf, type Going, type Way } from "./way.ts";

export interface GatewayWaysOptions extends SendOptions, Omit<PartsOptions, "entry" | "sendElsewhere"> {
  /** `config.get`: another object only when something has changed. */
  readonly config: () => GatewayConfig;
}

interface WaysMaking extends GatewayWaysOptions {
  /** Outlives configurations, for parts that do. */
  readonly elsewhere: SendElsewhere;
}

export interface GatewayWays {
  find(arrival: Arrival): Result<{ readonly going: Going; readonly exchange: Exchange }, NoWay>;
}

/** Everything is put together anew with another configuration, when it is first needed. */
export const gatewayWays = (options: GatewayWaysOptions): GatewayWays => {
  const compiled = new WeakMap<GatewayConfig, GatewayWays>();
  const tableOf = routeTables(options.tools.random);
  const elsewhere = sendElsewhere(options);
  return {
    find(arrival) {
      const config = options.config();
      const known = compiled.get(config);
      if (known) return known.find(arrival);
      const made = waysOf(config, tableOf(config.routes), { ...options, elsewhere });
      compiled.set(config, made);
      return made.find(arrival);
    },
  };
};

const waysOf = (config: GatewayConfig, table: RouteTable | undefined, options: WaysMaking): GatewayWays => {
  const { tools, services, link } = options;
  const addressOf = (headers: Headers) => clientAddressOf(headers, config.clientAddress);
  const way = wayMaker(config, options);
  const configured = configuredWays({
    table,
    random: tools.random,
    addressOf,
    wayTo: (route, destination) => way.ofRoute(route, destination),
  });
  const registered = registryWays({
    link,
    services,
    wayTo: way.ofService,
    versionsOf(service) {
      const layers = layersOf(config, service).map(({ versions }) => versions);
      if (layers.findLast((layer) => layer !== undefined) === false) return undefined;
      const written = mergedPart(layers);
      return { ...versionRule(written ?? {}), told: written !== undefined };
    },
  });
  return {
    find(arrival) {
      const byRoute = configured.find(arrival);
      const found = byRoute ? ok(byRoute) : registered.find(arrival);
      if (!found.ok) return err(found.error);
      const going = found.value;
      return ok({ going, exchange: exchangeOf(arrival, going, addressOf) });
    },
  };
};

const wayMaker = (config: GatewayConfig, { elsewhere, ...options }: WaysMaking) => {
  const { services, link } = options;
  const partsOptions = { ...options, entry: link.entry, sendElsewhere: elsewhere };
  const made = new Map<string, Way>();

  const compiled = (
    way: Omit<Way, "handler" | "timed">,
    layers: readonly WrittenPolicy[],
    send: Handler,
  ): Way => ({
    ...way,
    handler: compileRoute({ route: way.name, layers, send }, partsOptions),
    timed: mergedPart(layers.map(({ serverTiming }) => serverTiming)) !== undefined,
  });

  const toService = (name: string, service: string, major: number, own?: RoutesOwn): Way => {
    const layers = [...layersOf(config, service), ...(own ? [own.policy] : [])];
    const template = own ? name : `/${service}/v${major}/*`;
    const send = sendToService({ service, major }, own, options);
    return compiled({ name, service, major, template }, layers, send);
  };

  const toUrl = (name: string, url: string, own?: RoutesOwn): Way => {
    const layers = [config.policy, ...(own ? [own.policy] : [])];
    return compiled(
      { name, service: "", major: undefined, template: name },
      layers,
      sendToUrl(url, own, options),
    );
  };

  const toNobody = (name: string, service: string, own?: RoutesOwn): Way => {
    const layers = [...layersOf(config, service), ...(own ? [own.policy] : [])];
    const send = sendToNobody(service, own, options);
    return compiled({ name, service, major: undefined, template: name }, layers, send);
  };

  const once = (place: string, make: () => Way): Way => {
    const way = made.get(place) ?? make();
    made.set(place, way);
    return way;
  };

  return {
    ofService: (service: string, major: number) => toService(`${service}/v${major}`, service, major),
    ofRoute(route: string, destination: Destination): Way {
      const policy = config.routes[route]?.policy;
      const own = policy && { route, policy };
      if (destination.kind === "url") {
        const { url } = destination;
        return once(`${route} ${url}`, () => toUrl(route, url, own));
      }
      const { service } = destination;
      const major = destination.major ?? services.majors(service).at(-1);
      if (major === undefined) return once(`${route} ${service}`, () => toNobody(route, service, own));
      return once(`${route} ${service} ${major}`, () => toService(route, service, major, own));
    },
  };
};
