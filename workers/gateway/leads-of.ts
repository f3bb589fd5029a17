/** Names where a way of a configured route leads, so that what was answered there is not given as another place's word. */
import { fnv1a } from "#shared/cqrs/fnv1a.ts";
import type { GatewayConfig } from "./contract.ts";

/**
 * Another text for another URL, and for paths that are rewritten otherwise, in every isolate; empty where the service alone says
 * it all. To be made once, with the way.
 * @param url the fixed one; undefined where it leads to a service
 */
export const leadsOf = (
  { match, rewrite }: Pick<GatewayConfig["routes"][string], "match" | "rewrite">,
  url: string | undefined,
): string => {
  if (url === undefined && rewrite === undefined) return "";
  // What a rewritten path is made of, the patterns of the route's own path name.
  const rewriting = rewrite === undefined ? undefined : [rewrite, match?.path];
  return fnv1a(JSON.stringify([url, rewriting])).toString(36);
};
