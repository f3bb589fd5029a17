/** One request through the gateway, on one screen: trace, name, bound, match, forward. */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { allowedMethods } from "#shared/http/allowed-methods.ts";
import { PLATFORM_PROBLEMS } from "#shared/http/errors.ts";
import { problemResponse } from "#shared/http/problem.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import { tracedServer } from "#shared/telemetry/http-server.ts";
import { onwardRequest } from "./onward-request.ts";
import { acceptRequestId } from "./request-id.ts";
import type { ServiceRoute } from "./routes.ts";

export interface ForwardedService extends Pick<ServiceRoute, "name" | "majors"> {
  readonly upstream: Upstream;
}

export interface PipelineOptions {
  readonly services: readonly ForwardedService[];
  readonly monitor: Upstream;
  /** Names a request whose client did not. */
  readonly newRequestId: () => string;
}

export interface GatewayEnv {
  Variables: { requestId: string };
}

/** Forwards `/{service}/v{major}/…` and `/monitor/…`; whatever the gateway answers itself is added to the app. */
export const createPipeline = ({ services, monitor, newRequestId }: PipelineOptions): Hono<GatewayEnv> => {
  const app = new Hono<GatewayEnv>();
  app.use(tracedServer(), admit(newRequestId));

  // One route for each name, not one for all: beside them a `/:service` would take Hono off its fast router.
  for (const service of services) {
    const expected = new Set(service.majors.map((major) => `v${major}`));
    app.all(`/${service.name}/:version/*`, (c) =>
      expected.has(c.req.param("version"))
        ? forward(c, service.name, service.upstream)
        : refuseVersion(c, service.name, expected),
    );
  }
  app.all("/monitor/*", (c) => forward(c, "monitor", monitor));

  app.notFound((c) => refuseUnknown(c, allowedMethods(app.routes, c.req.path)));
  app.onError((_, c) => refuse(c, "internal_error", "The request was not completed."));
  return app;
};

/**
 * Names the request and refuses a body that declares to be over the bound. A chunked body streams through:
 * the service that reads it keeps the same bound.
 */
const admit = (newRequestId: () => string): MiddlewareHandler<GatewayEnv> =>
  async function admit(c, next) {
    const { headers } = c.req.raw;
    c.set("requestId", acceptRequestId(headers.get("x-request-id")) ?? newRequestId());
    const declared = headers.get("content-length");
    if (declared === null || !(Number(declared) > LIMITS.requestBodyBytes)) return next();
    const size = `it has ${JSON.stringify(declared.slice(0, 30))} bytes`;
    return refuse(
      c,
      "body_too_large",
      `Reading the body: ${size}; expected at most ${LIMITS.requestBodyBytes}.`,
    );
  };

const forward = async (c: Context<GatewayEnv>, name: string, upstream: Upstream): Promise<Response> => {
  const requestId = c.get("requestId");
  try {
    return named(await upstream.fetch(onwardRequest(c.req.raw, requestId)), requestId);
  } catch {
    return refuse(c, "upstream_unreachable", `Calling the service "${name}": it did not answer.`);
  }
};

/** Services name their answers themselves: copying one costs a fifth of the throughput, because its body then runs through JavaScript. */
const named = (answer: Response, requestId: string): Response => {
  if (answer.headers.has("x-request-id")) return answer;
  const response = new Response(answer.body, answer);
  response.headers.set("x-request-id", requestId);
  return response;
};

const refuseUnknown = (c: Context<GatewayEnv>, allowed: readonly string[]): Response => {
  const path = JSON.stringify(c.req.path.slice(0, 200));
  if (allowed.length === 0 || allowed.includes(c.req.method))
    return refuse(c, "not_found", `Looking for ${path}: no such address.`);
  const allow = allowed.join(", ");
  const detail = `Calling ${c.req.method} on ${path}: expected one of ${allow}.`;
  return refuse(c, "method_not_allowed", detail, { allow });
};

const refuseVersion = (c: Context<GatewayEnv>, name: string, expected: ReadonlySet<string>): Response => {
  const version = JSON.stringify(c.req.param("version")?.slice(0, 30));
  const known = [...expected].map((each) => `"${each}"`).join(", ");
  return refuse(c, "not_found", `Looking for version ${version} of "${name}": expected one of ${known}.`);
};

const refuse = (
  c: Context<GatewayEnv>,
  code: keyof typeof PLATFORM_PROBLEMS,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response =>
  problemResponse({ code, detail }, PLATFORM_PROBLEMS, {
    instance: c.req.path,
    headers: { "x-request-id": c.get("requestId"), ...headers },
  });
