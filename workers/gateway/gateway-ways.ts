/** Where requests go: by the routes of the configuration first, then by the registry. */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Arrival } from "./arrival.ts";
import { clientAddresses, type Sent } from "./client-address.ts";
import { compileRoute, type PartsOptions, type RouteMaking } from "./compile-route.ts";
import { configuredWays, routeTables } from "./configured-ways.ts";
import type { GatewayConfig } from "./contract.ts";
import { type Exchange, type Handler, refusal } from "./exchange.ts";
import { leadsOf } from "./leads-of.ts";
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
  /** For the operator's log: what a rule of the configuration cannot do here. Nothing is said when absent. */
  readonly warn?: (message: string) => void;
}

interface WaysMaking extends GatewayWaysOptions {
  /** Outlives configurations, for parts that do. */
  readonly elsewhere: SendElsewhere;
  /** Outlives them, too: what it has warned of it does not say again. */
  readonly clientAddressOf: ReturnType<typeof clientAddresses>;
}

export interface GatewayWays {
  find(arrival: Arrival): Result<{ readonly going: Going; readonly exchange: Exchange }, NoWay>;
}

/** Everything is put together anew with another configuration, when it is first needed. */
export const gatewayWays = (options: GatewayWaysOptions): GatewayWays => {
  const compiled = new WeakMap<GatewayConfig, GatewayWays>();
  const tableOf = routeTables(options.tools.random);
  const elsewhere = sendElsewhere(options);
  const clientAddressOf = clientAddresses((message) => options.warn?.(message));
  let last: GatewayWays | undefined;

  /** One that cannot be put together leaves the one before it in force: its routes may be what keeps others out. */
  const made = (config: GatewayConfig): GatewayWays => {
    try {
      last = waysOf(config, tableOf(config.routes), { ...options, elsewhere, clientAddressOf });
    } catch (error) {
      if (!last) throw error;
      warnOf("the configuration's routes", error);
    }
    compiled.set(config, last);
    return last;
  };

  return {
    find(arrival) {
      const config = options.config();
      return (compiled.get(config) ?? made(config)).find(arrival);
    },
  };
};

/** For the worker's log: the schema has let through what it should not. */
const warnOf = (what: string, error: unknown): void =>
  console.warn(`Putting ${what} together: ${error instanceof Error ? error.message : error}`);

const waysOf = (config: GatewayConfig, table: RouteTable | undefined, options: WaysMaking): GatewayWays => {
  const { tools, services, link } = options;
  const addressOf = (sent: Sent) => options.clientAddressOf(sent, config.clientAddress);
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

/** A policy that cannot be put together closes its own route alone: without a part it might be open to everybody. */
const handlerOf = (making: RouteMaking, options: PartsOptions): Handler => {
  try {
    return compileRoute(making, options);
  } catch (error) {
    warnOf(`the policy of the route "${making.route}"`, error);
    return async (exchange) => refusal(exchange, "internal_error", NOT_PUT_TOGETHER);
  }
};

const NOT_PUT_TOGETHER = "Going by the policy of this route: it could not be put together.";

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
    handler: handlerOf({ route: way.name, layers, send }, partsOptions),
    timed: mergedPart(layers.map(({ serverTiming }) => serverTiming)) !== undefined,
  });

  /** Of a configured route; the registry's own lead where their names say. */
  const leadOf = (name: string, url?: string): string => {
    const route = config.routes[name];
    return route ? leadsOf(route, url) : "";
  };

  const toService = (name: string, service: string, major: number, own?: RoutesOwn): Way => {
    const layers = [...layersOf(config, service), ...(own ? [own.policy] : [])];
    const template = own ? name : `/${service}/v${major}/*`;
    const send = sendToService({ service, major }, own, options);
    return compiled({ name, service, major, leads: leadOf(name), template }, layers, send);
  };

  const toUrl = (name: string, url: string, own?: RoutesOwn): Way => {
    const layers = [config.policy, ...(own ? [own.policy] : [])];
    return compiled(
      { name, service: "", major: undefined, leads: leadOf(name, url), template: name },
      layers,
      sendToUrl(url, own, options),
    );
  };

  const toNobody = (name: string, service: string, own?: RoutesOwn): Way => {
    const layers = [...layersOf(config, service), ...(own ? [own.policy] : [])];
    const send = sendToNobody(service, own, options);
    return compiled({ name, service, major: undefined, leads: leadOf(name), template: name }, layers, send);
  };

  /** @param place the route's name last, because it may hold any character */
  const once = (place: string, make: () => Way): Way => {
    const way = made.get(place) ?? make();
    if (made.size >= LIMITS.gatewayWaysKnown && !made.has(place)) made.clear();
    made.set(place, way);
    return way;
  };

  return {
    ofService: (service: string, major: number) =>
      once(`${service}/v${major}`, () => toService(`${service}/v${major}`, service, major)),
    ofRoute(route: string, destination: Destination): Way {
      const policy = config.routes[route]?.policy;
      const own = policy && { route, policy };
      if (destination.kind === "url") {
        const { url } = destination;
        return once(`${url} ${route}`, () => toUrl(route, url, own));
      }
      const { service } = destination;
      const major = destination.major ?? services.majors(service).at(-1);
      if (major === undefined) return once(`${service} - ${route}`, () => toNobody(route, service, own));
      return once(`${service} ${major} ${route}`, () => toService(route, service, major, own));
    },
  };
};
