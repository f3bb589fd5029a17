/** How the gateway says no, always with the request's name. */
import type { Context } from "hono";
import type { RouterRoute } from "hono/types";
import { allowedMethods } from "#shared/http/allowed-methods.ts";
import type { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { retryAfterField } from "#shared/resilience/rate-limit-headers.ts";
import { type Exchange, refusal } from "./exchange.ts";
import type { GatewayEnv } from "./gateway-env.ts";
import type { NoWay } from "./no-way.ts";
import { refuseVersion } from "./parts/versions/refuse-version.ts";
import type { SendRefusal } from "./policy/refusal.ts";
import type { RoutingRefusal } from "./registered-services.ts";
import type { ServicePath } from "./service-path.ts";

/** Of one of the gateway's own pages. */
export const refuse = (
  c: Context<GatewayEnv>,
  code: keyof typeof PLATFORM_PROBLEMS,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response => refusal(c.env.arrival, code, detail, headers);

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

const lookingFor = ({ path }: Named) => `Looking for ${JSON.stringify(path.slice(0, 200))}: no such address.`;

type Named = Pick<Exchange, "path" | "requestId">;

/** Where no way leads. */
export const refuseWay = (named: Named, reason: Exclude<NoWay, { code: "no_route" }>): Response => {
  if (reason.code !== "version") return refuseRouting(named, reason.path, reason);
  const refused = refuseVersion(named, reason.refused);
  if (reason.vary.length > 0) refused.headers.set("vary", reason.vary.join(", "));
  return refused;
};

/** Where the registry leads nowhere. */
export const refuseRouting = (
  named: Named,
  { service, version }: ServicePath,
  reason: RoutingRefusal,
): Response => {
  switch (reason.code) {
    case "not_registered":
      return refusal(named, "not_found", lookingFor(named));
    case "no_such_major": {
      const known = reason.majors.map((major) => `"v${major}"`).join(", ");
      const asked = JSON.stringify(version.slice(0, 30));
      const detail = `Looking for version ${asked} of "${service}": expected one of ${known}.`;
      return refusal(named, "not_found", detail);
    }
    case "no_healthy_instance":
      return refusal(
        named,
        "unavailable",
        `Calling the service "${service}" ${version}: none of its instances is healthy at the moment.`,
      );
    case "nothing_known":
      return refusal(
        named,
        "unavailable",
        `Looking for the service "${service}": the registry was not reached yet.`,
      );
  }
};

/** Where the policy's parts give no answer of the service. */
export const refuseSending = (named: Named, service: string, reason: SendRefusal): Response => {
  const calling = `Calling the service "${service}"`;
  switch (reason.code) {
    case "unreachable":
    case "client_gone":
      return refusal(named, "upstream_unreachable", `${calling}: it did not answer.`);
    case "late":
      return refusal(
        named,
        "deadline_exceeded",
        `${calling}: expected an answer within ${reason.withinMs} ms, and there was none.`,
      );
    case "body_broken":
      return refusal(named, "malformed_request", "Reading the body: it broke off; expected it to its end.");
    case "body_over": {
      const most = `at most ${reason.bytesMax} bytes`;
      return refusal(
        named,
        "body_too_large",
        `Reading the body: it has more; expected ${most} with this method.`,
      );
    }
    case "body_late":
      return refusal(
        named,
        "deadline_exceeded",
        `Reading the body: expected its end within ${reason.withinMs} ms, and it did not come.`,
      );
    case "open": {
      const after = retryAfterField(Math.max(1_000, reason.retryAfterMs));
      const detail = `${calling}: none of its instances answers well enough at the moment, so it was not asked.`;
      return refusal(named, "unavailable", detail, after === undefined ? {} : { "retry-after": after });
    }
    case "full":
      return refusal(named, "unavailable", `${calling}: as many requests as may be are under way.`);
    case "shed":
      return refusal(named, "unavailable", `${calling}: it has more to do than it can, so it was not asked.`);
    case "no_instance":
      return refusal(named, "unavailable", `${calling}: none of its instances is healthy at the moment.`);
  }
};
