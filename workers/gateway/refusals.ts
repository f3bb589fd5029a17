/** How the gateway says no, always with the request's name. */
import type { Context } from "hono";
import type { RouterRoute } from "hono/types";
import { allowedMethods } from "#shared/http/allowed-methods.ts";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import { retryAfterField } from "#shared/resilience/rate-limit-headers.ts";
import type { GatewayEnv } from "./gateway-env.ts";
import type { SendRefusal } from "./policy/refusal.ts";
import type { RoutingRefusal } from "./registered-services.ts";
import type { ServicePath } from "./service-path.ts";

export const refuse = (
  c: Context<GatewayEnv>,
  code: keyof typeof PLATFORM_PROBLEMS,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  problemResponse({ code, detail }, PLATFORM_PROBLEMS, {
    instance: c.req.path,
    headers: { "x-request-id": c.get("requestId"), ...headers },
  });

/** 404, or 405 with `Allow` where one of the gateway's own routes has other methods. */
export const refuseUnknown = (c: Context<GatewayEnv>, routes: readonly RouterRoute[]): Response => {
  const path = JSON.stringify(c.req.path.slice(0, 200));
  const allowed = allowedMethods(routes, c.req.path);
  if (allowed.length === 0 || allowed.includes(c.req.method))
    return refuse(c, "not_found", `Looking for ${path}: no such address.`);
  const allow = allowed.join(", ");
  const detail = `Calling ${c.req.method} on ${path}: expected one of ${allow}.`;
  return refuse(c, "method_not_allowed", detail, { allow });
};

/** Where the registry leads nowhere. */
export const refuseRouting = (
  c: Context<GatewayEnv>,
  { service, version }: ServicePath,
  refusal: RoutingRefusal,
): Response | Promise<Response> => {
  switch (refusal.code) {
    case "not_registered":
      return c.notFound();
    case "no_such_major": {
      const known = refusal.majors.map((major) => `"v${major}"`).join(", ");
      const asked = JSON.stringify(version.slice(0, 30));
      return refuse(
        c,
        "not_found",
        `Looking for version ${asked} of "${service}": expected one of ${known}.`,
      );
    }
    case "no_healthy_instance":
      return refuse(
        c,
        "unavailable",
        `Calling the service "${service}" ${version}: none of its instances is healthy at the moment.`,
      );
    case "nothing_known":
      return refuse(
        c,
        "unavailable",
        `Looking for the service "${service}": the registry was not reached yet.`,
      );
  }
};

/** Where the policy's parts give no answer of the service. */
export const refuseSending = (c: Context<GatewayEnv>, service: string, refusal: SendRefusal): Response => {
  const calling = `Calling the service "${service}"`;
  switch (refusal.code) {
    case "unreachable":
    case "client_gone":
      return refuse(c, "upstream_unreachable", `${calling}: it did not answer.`);
    case "late":
      return refuse(
        c,
        "deadline_exceeded",
        `${calling}: expected an answer within ${refusal.withinMs} ms, and there was none.`,
      );
    case "open": {
      const after = retryAfterField(Math.max(1_000, refusal.retryAfterMs));
      const detail = `${calling}: none of its instances answers well enough at the moment, so it was not asked.`;
      return refuse(c, "unavailable", detail, after === undefined ? {} : { "retry-after": after });
    }
    case "full":
      return refuse(c, "unavailable", `${calling}: as many requests as may be are under way.`);
    case "shed":
      return refuse(c, "unavailable", `${calling}: it has more to do than it can, so it was not asked.`);
    case "rate_limited":
      return refuse(c, "rate_limited", `${calling}: expected fewer requests in this time.`, refusal.headers);
  }
};
