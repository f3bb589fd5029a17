/** What the gateway answers itself or hands to its fixed neighbours: pages, health, problems, `/monitor/…`, `/control/v1/…`. */
import { context } from "@opentelemetry/api";
import { type Context, Hono } from "hono";
import type { Upstream } from "#shared/http/upstream.ts";
import { matchedRoute } from "#shared/telemetry/http-server.ts";
import type { Arrival } from "./arrival.ts";
import type { GatewayEnv } from "./gateway-env.ts";
import { onwardRequest } from "./onward-request.ts";
import { addOwnRoutes, type OwnRoutesOptions } from "./own-routes.ts";
import { refuse, refuseUnknown } from "./refusals.ts";
import type { RegistryLink } from "./registered-services.ts";

export interface OwnAppOptions extends OwnRoutesOptions {
  readonly link: RegistryLink;
  readonly monitor: Upstream;
  readonly control: Upstream;
  /** Shows `/openapi.json` to people; nobody does when absent. */
  readonly docs?: Upstream | undefined;
}

export interface OwnApp {
  /** Also says 404 to what is nobody's address. */
  answer(arrival: Arrival): Promise<Response>;
  /** Whether no route and no service may take this path. */
  owns(path: string): boolean;
}

const OWN_SEGMENTS = new Set([
  "",
  "healthz",
  "readyz",
  "problems",
  "openapi.json",
  "docs",
  ".well-known",
  "monitor",
  "control",
]);

export const ownApp = (options: OwnAppOptions): OwnApp => {
  const { link, monitor, control, docs } = options;
  const app = new Hono<GatewayEnv>();
  app.use(async (c, next) => {
    await next();
    c.env.arrival.template = matchedRoute(c);
  });
  addOwnRoutes(app, options);
  if (docs) app.on("GET", ["/docs", "/docs/*"], (c) => forward(c, "docs", docs));
  app.all("/monitor/*", (c) => forward(c, "monitor", monitor));
  app.all("/control/v1/*", async (c) => {
    const answer = await forward(c, "control", control);
    if (c.req.method !== "GET" && c.req.method !== "HEAD") lookAfterWrite(c, link, answer);
    return answer;
  });
  app.notFound((c) => refuseUnknown(c, app.routes));
  app.onError((_, c) => refuse(c, "internal_error", "The request was not completed."));

  return {
    owns: (path) => OWN_SEGMENTS.has(firstSegment(path)),
    answer: (arrival) =>
      context.with(arrival.trace, async () => app.fetch(arrival.request, { arrival }, arrival.platform)),
  };
};

const firstSegment = (path: string): string => {
  const end = path.indexOf("/", 1);
  return path.slice(1, end < 0 ? undefined : end);
};

const forward = async (c: Context<GatewayEnv>, name: string, upstream: Upstream): Promise<Response> => {
  const { requestId } = c.env.arrival;
  try {
    return await upstream.fetch(onwardRequest({ request: c.req.raw, requestId }));
  } catch {
    return refuse(c, "upstream_unreachable", `Calling the service "${name}": it did not answer.`);
  }
};

/** Who wrote through this isolate finds it changed a moment later, not a second. */
const lookAfterWrite = (c: Context<GatewayEnv>, link: RegistryLink, answer: Response): void => {
  if (!answer.ok) return;
  const epoch = Number(answer.headers.get("skerry-epoch"));
  if (epoch > 0) link.saw(epoch);
  else c.executionCtx.waitUntil(link.lookNow());
};
