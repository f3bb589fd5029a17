/** One request through the gateway, on one screen: trace, name, bound, look up, send by policy. */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import { matchedRoute, tracedServer } from "#shared/telemetry/http-server.ts";
import type { GatewayEnv } from "./gateway-env.ts";
import { onwardRequest } from "./onward-request.ts";
import { addOwnRoutes } from "./own-routes.ts";
import { sendRequest } from "./policy/send-request.ts";
import type { ServicePolicies } from "./policy/service-policies.ts";
import type { Tools } from "./policy/upstream-parts.ts";
import { refuse, refuseRouting, refuseSending, refuseUnknown } from "./refusals.ts";
import type { RegisteredServices, RegistryLink } from "./registered-services.ts";
import { acceptRequestId } from "./request-id.ts";
import { rolloutArm } from "./rollout-arm.ts";
import { hasSamePath } from "./same-path.ts";
import { servicePath } from "./service-path.ts";

export interface PipelineOptions {
  readonly link: RegistryLink;
  readonly services: RegisteredServices;
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  readonly monitor: Upstream;
  readonly control: Upstream;
  /** Names a request whose client did not. */
  readonly newRequestId: () => string;
}

/** What the gateway answers itself, `/monitor/…`, `/control/v1/…`, and `/{service}/v{major}/…` by the registry. */
export const createPipeline = (options: PipelineOptions): Hono<GatewayEnv> => {
  const { link, services, policies, tools, monitor, control } = options;
  const app = new Hono<GatewayEnv>();

  const route = (c: Context): string | undefined => {
    const path = servicePath(c.req.path);
    const known = path?.major !== undefined && link.entry(path.service) !== undefined;
    return known ? `/${path.service}/${path.version}/*` : matchedRoute(c);
  };
  app.use(tracedServer(route), admit(options.newRequestId));

  addOwnRoutes(app, options);
  app.all("/monitor/*", (c) => forward(c, "monitor", monitor));
  app.all("/control/v1/*", async (c) => {
    const answer = await forward(c, "control", control);
    if (c.req.method !== "GET" && c.req.method !== "HEAD") lookAfterWrite(c, link, answer);
    return answer;
  });

  // One handler for all services, last and without parameters: beside other routes a `/:service` would take Hono off its
  // fast router, and routes cannot be added once it has answered.
  app.all("*", async (c) => {
    const path = servicePath(c.req.path);
    if (!path) return c.notFound();
    if (!link.loaded()) await link.load(untilOf(c));
    let found = services.find(path);
    // Only a refusal is checked: an answer by what was known a second ago is no wrong answer.
    if (!found.ok && (await link.lookNow())) found = services.find(path);
    if (!found.ok) return refuseRouting(c, path, link.loaded() ? found.error : NOTHING_KNOWN);
    const sent = await sendRequest(
      {
        request: c.req.raw,
        requestId: c.get("requestId"),
        parts: policies.of(path.service, path.major as number),
        targets: found.value,
        lookAgain: async () => {
          const now = (await link.lookNow()) && services.find(path);
          return now !== false && now.ok ? now.value : undefined;
        },
      },
      tools,
    );
    if (!sent.ok) return refuseSending(c, path.service, sent.error);
    const answer = named(sent.value, c.get("requestId"));
    const arm = rolloutArm(answer.headers.get("skerry-config"));
    if (arm) link.count({ service: path.service, ...arm, failed: answer.status >= 500 });
    return answer;
  });

  app.notFound((c) => refuseUnknown(c, app.routes));
  app.onError((_, c) => refuse(c, "internal_error", "The request was not completed."));
  return app;
};

/** An isolate that never reached the control plane cannot say what there is not. */
const NOTHING_KNOWN = { code: "nothing_known" } as const;

/**
 * Names the request and refuses a path that others would read otherwise, and a body that declares to be over the bound.
 * A chunked body streams through: the service that reads it keeps the same bound.
 */
const admit = (newRequestId: () => string): MiddlewareHandler<GatewayEnv> =>
  async function admit(c, next) {
    const { headers } = c.req.raw;
    c.set("requestId", acceptRequestId(headers.get("x-request-id")) ?? newRequestId());
    if (!hasSamePath(c.req)) return c.notFound();
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

const SWITCHING_PROTOCOLS = 101;

/** Services name their answers themselves: copying one costs a fifth of the throughput, because its body then runs through JavaScript. */
const named = (answer: Response, requestId: string): Response => {
  // What is no longer HTTP has nobody who would read a name.
  if (answer.status === SWITCHING_PROTOCOLS || answer.headers.has("x-request-id")) return answer;
  const response = new Response(answer.body, answer);
  response.headers.set("x-request-id", requestId);
  return response;
};

/** Who wrote through this isolate finds it changed a moment later, not a second. */
const lookAfterWrite = (c: Context, link: RegistryLink, answer: Response): void => {
  if (!answer.ok) return;
  const epoch = Number(answer.headers.get("skerry-epoch"));
  if (epoch > 0) link.saw(epoch);
  else untilOf(c)(link.lookNow());
};

const untilOf =
  (c: Context) =>
  (work: Promise<unknown>): void =>
    c.executionCtx.waitUntil(work);
