/** What the gateway answers itself: the front page, health, the list of documents, the meaning of problems. */
import type { Context, Hono, MiddlewareHandler } from "hono";
import { readinessHandler } from "#shared/http/readiness.ts";
import type { PublicJwks } from "#shared/identity/identity-keys.ts";
import { LIMITS } from "#shared/limits.ts";
import { openApiAnswer } from "./documents/openapi-answer.ts";
import type { OpenApiDocuments } from "./documents/openapi-documents.ts";
import type { GatewayEnv } from "./gateway-env.ts";
import { type GatewayReadinessOptions, gatewayReadiness } from "./gateway-readiness.ts";
import { HomePage } from "./home-page.tsx";
import { htmlResponse } from "./html-response.tsx";
import { ProblemListPage, ProblemPage } from "./problem-pages.tsx";
import { REGISTERED_PROBLEMS, registeredProblem } from "./problem-registry.ts";
import type { ListedService, RegistryLink } from "./registered-services.ts";

export interface OwnRoutesOptions extends GatewayReadinessOptions {
  readonly link: Pick<RegistryLink, "loaded" | "load">;
  readonly documents: OpenApiDocuments;
  /** By which others verify the gateway's word for a caller; none when absent. */
  readonly identityKeys?: PublicJwks | undefined;
}

/** Longer than the services' own bound, so that a slow one still says which of its checks is slow. */
const READY_MS = 2_000;

const LISTING_PATHS = ["/", "/openapi.json", "/readyz"];
const JWKS_PATH = "/.well-known/jwks.json";
const OWN_PATHS = [...LISTING_PATHS, JWKS_PATH, "/healthz", "/problems", "/problems/:code"];

/** New keys are shown before they sign: whoever verifies may keep these for a while (RFC 7517 section 8.5.1). */
const JWKS_HEADERS = { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=300" };

/** Adds them to the pipeline's app. */
export const addOwnRoutes = (app: Hono<GatewayEnv>, options: OwnRoutesOptions): void => {
  const { services, link, documents, identityKeys = { keys: [] } } = options;
  app.on("GET", OWN_PATHS, repeatRequestId);
  app.on("GET", LISTING_PATHS, async (c, next) => {
    if (!link.loaded()) await link.load((work) => c.executionCtx.waitUntil(work));
    return next();
  });
  app.get("/", (c) => homeAnswer(c, services.list()));
  app.get("/openapi.json", (c) => openApiAnswer(documents, { ...c.env.arrival, request: c.req.raw }));
  app.get("/healthz", (c) => c.json({ service: "gateway", healthy: true }));
  app.get(JWKS_PATH, (c) => c.body(JSON.stringify(identityKeys), 200, JWKS_HEADERS));
  app.get("/readyz", () => readinessHandler("gateway", gatewayReadiness(options), { timeoutMs: READY_MS })());
  app.get(
    "/problems",
    async (c): Promise<Response> =>
      wantsHtml(c)
        ? htmlResponse(c.req.method, (nonce) => ProblemListPage({ problems: REGISTERED_PROBLEMS, nonce }))
        : c.json({ problems: REGISTERED_PROBLEMS }),
  );
  app.get("/problems/:code", async (c): Promise<Response> => {
    const problem = registeredProblem(c.req.param("code"));
    if (!problem) return c.notFound();
    return wantsHtml(c)
      ? htmlResponse(c.req.method, (nonce) => ProblemPage({ problem, nonce }))
      : c.json({ type: `/problems/${problem.code}`, ...problem });
  });
};

const repeatRequestId: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  await next();
  c.res.headers.set("x-request-id", c.env.arrival.requestId);
};

const homeAnswer = (c: Context, services: readonly ListedService[]): Response | Promise<Response> => {
  if (wantsHtml(c)) {
    const { origin } = new URL(c.req.url);
    const shown = services.slice(0, LIMITS.homePageServices);
    const hidden = services.length - shown.length;
    return htmlResponse(c.req.method, (nonce) => HomePage({ origin, services: shown, hidden, nonce }));
  }
  return c.json({
    name: "skerry",
    services: services.map(({ name, majors, summary }) => ({
      name,
      summary,
      paths: majors.map((major) => `/${name}/v${major}`),
    })),
    documents: "/openapi.json",
    docs: "/docs",
    readiness: "/readyz",
    problems: "/problems",
    monitor: "/monitor/",
    control: "/control/v1/openapi.json",
  });
};

const wantsHtml = (c: Context): boolean => /\btext\/html\b/i.test(c.req.header("accept") ?? "");
