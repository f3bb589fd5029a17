/** The entries of a table that one route makes: one for each of its patterns. */
import type { CompiledRoute, Found } from "./compiled-route.ts";
import { conditionsOf } from "./conditions.ts";
import { compileCanary, compileDestination, weightSums } from "./destinations.ts";
import { pathPattern } from "./path-pattern.ts";
import { compileRewrite } from "./rewrite-path.ts";
import { listed, type WrittenRoute } from "./route-schema.ts";
import type { Entry } from "./search.ts";
import type { WeightGroups } from "./weight-groups.ts";

export type UnrankedEntry = Omit<Entry, "rank">;

/** To be called in the order of names where routes share a group. Throws on what the schema would not have let through. */
export const routeEntries = (name: string, written: WrittenRoute, groups: WeightGroups): UnrankedEntry[] => {
  const { match, priority = 0 } = written;
  const route = compiledRoute(name, written);
  const conditions = conditionsOf(match, groups);
  return listed(match.path ?? "/*").map((text, place) => {
    const pattern = pathPattern(text);
    const found: Found = { route, params: NO_PARAMS, pattern };
    return { name, route, priority, conditions, pattern, place, found };
  });
};

const compiledRoute = (name: string, { to, canary, rewrite }: WrittenRoute): CompiledRoute => {
  const written = listed(to);
  return {
    name,
    destinations: written.map(compileDestination),
    weightSums: weightSums(written),
    canary: canary && compileCanary(canary),
    rewrite: rewrite === undefined ? undefined : compileRewrite(rewrite),
  };
};

const NO_PARAMS = Object.freeze({});
