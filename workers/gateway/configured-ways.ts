/** The ways that the configuration gives: its routes, compiled, each destination with a handler of its own. */
import type { Random } from "#shared/runtime/clock.ts";
import type { Arrival } from "./arrival.ts";
import type { GatewayConfig } from "./contract.ts";
import { withPath } from "./request-path.ts";
import { chooseDestination, type Destination } from "./routes/destinations.ts";
import { rewritePath } from "./routes/rewrite-path.ts";
import { compileRoutes, type RouteTable } from "./routes/route-table.ts";
import type { Going, Way } from "./way.ts";

export interface ConfiguredWaysOptions {
  readonly table: RouteTable | undefined;
  readonly random: Random;
  readonly addressOf: (request: Request) => string | undefined;
  /** Puts a way together, also to a service that the registry does not have: what a route takes is nobody else's. */
  readonly wayTo: (route: string, destination: Destination) => Way;
}

export interface ConfiguredWays {
  /** Undefined when no route matches. */
  find(arrival: Arrival): Going | undefined;
}

/** Gives the table of each configuration's routes, made of the one before it where little has changed; undefined of none. */
export const routeTables = (
  random: Random,
): ((routes: GatewayConfig["routes"]) => RouteTable | undefined) => {
  let last: RouteTable | undefined;
  return (routes) => {
    if (Object.keys(routes).length === 0) return undefined;
    last = last?.changed(routes) ?? compileRoutes(routes, random);
    return last;
  };
};

/** Of one configuration. */
export const configuredWays = (options: ConfiguredWaysOptions): ConfiguredWays => {
  const { table, random, addressOf, wayTo } = options;
  if (!table) return { find: () => undefined };
  return {
    find({ request, path }) {
      const { method, headers, url } = request;
      const found = table.find({ method, path, headers, url });
      if (!found) return undefined;
      const { route, params } = found;
      const asked = {
        request,
        get clientAddress() {
          return addressOf(request);
        },
      };
      const way = wayTo(route.name, chooseDestination(route, asked, random));
      return { way, params, url: route.rewrite && withPath(url, rewritePath(found, path)) };
    },
  };
};
