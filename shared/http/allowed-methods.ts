/** Which methods an address answers to: what a 405 must tell (RFC 9110 section 15.5.6). */
import type { RouterRoute } from "hono/types";

/** Methods of the routes that match `path`, `HEAD` with every `GET`; empty when there is nothing at that address. */
export const allowedMethods = (routes: readonly RouterRoute[], path: string): string[] => {
  const methods = new Set<string>();
  for (const route of routes) {
    if (route.method === "ALL" || !patternOf(route.path).test(path)) continue;
    methods.add(route.method.toUpperCase());
    if (route.method === "GET") methods.add("HEAD");
  }
  return [...methods].sort();
};

const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/[.+?^$|()[\]\\]/g, "\\$&").replaceAll(/:[^/]+/g, "[^/]+")}$`);
