/** The ways that the configuration gives: its routes, compiled once, each destination with a handler of its own. */
import type { Random } from "#shared/runtime/clock.ts";
import type { Arrival } from "./arrival.ts";
import type { GatewayConfig } from "./contract.ts";
import { withPath } from "./request-path.ts";
import { chooseDestination, type Destination } from "./routes/destinations.ts";
import { rewritePath } from "./routes/rewrite-path.ts";
import { compileRoutes } from "./routes/route-table.ts";
import type { Going, Way } from "./way.ts";

export interface ConfiguredWaysOptions {
  readonly routes: GatewayConfig["routes"];
  readonly random: Random;
  readonly addressOf: (headers: Headers) => string | undefined;
  /** Puts a way together; undefined where it leads to a service that the registry does not have. */
  readonly wayTo: (route: string, destination: Destination) => Way | undefined;
}

export interface ConfiguredWays {
  /** Undefined when no route matches. */
  find(arrival: Arrival): Going | undefined;
}

/** Of one configuration. */
export const configuredWays = (options: ConfiguredWaysOptions): ConfiguredWays => {
  const { routes, random, addressOf, wayTo } = options;
  if (Object.keys(routes).length === 0) return { find: () => undefined };
  const table = compileRoutes(routes, random);
  return {
    find({ request, path }) {
      const { method, headers, url } = request;
      const found = table.find({ method, path, headers, url });
      if (!found) return undefined;
      const { route, params } = found;
      const asked = {
        request,
        get clientAddress() {
          return addressOf(headers);
        },
      };
      const way = wayTo(route.name, chooseDestination(route, asked, random));
      return way && { way, params, url: route.rewrite && withPath(url, rewritePath(found, path)) };
    },
  };
};
