/** What the gateway answers itself: the front page, health, the list of documents, the meaning of problems. */
import type { Context, Hono, MiddlewareHandler } from "hono";
import { type Readiness, type ReadinessCheck, readinessHandler } from "#shared/http/readiness.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { err, ok } from "#shared/result.ts";
import { HomePage } from "./home-page.tsx";
import { htmlResponse } from "./html-response.tsx";
import type { ForwardedService, GatewayEnv } from "./pipeline.ts";
import { ProblemListPage, ProblemPage } from "./problem-pages.tsx";
import { REGISTERED_PROBLEMS, registeredProblem } from "./problem-registry.ts";
import type { ServiceRoute } from "./routes.ts";

export interface OwnRoutesOptions {
  readonly services: readonly (ForwardedService & Pick<ServiceRoute, "summary">)[];
  readonly monitor: Upstream;
}

/** Longer than the services' own bound, so that a slow one still says which of its checks is slow. */
const READY_MS = 2_000;

const OWN_PATHS = ["/", "/openapi.json", "/healthz", "/readyz", "/problems", "/problems/:code"];

/** Adds them to the pipeline's app. */
export const addOwnRoutes = (app: Hono<GatewayEnv>, { services, monitor }: OwnRoutesOptions): void => {
  const documents = documentsOf(services);
  app.on("GET", OWN_PATHS, repeatRequestId);

  app.get(
    "/",
    async (c): Promise<Response> =>
      wantsHtml(c)
        ? htmlResponse(c.req.method, (nonce) =>
            HomePage({ origin: new URL(c.req.url).origin, services, nonce }),
          )
        : c.json({
            name: "skerry",
            services: services.map(({ name, majors, summary }) => ({
              name,
              summary,
              paths: majors.map((major) => `/${name}/v${major}`),
            })),
            documents: "/openapi.json",
            readiness: "/readyz",
            problems: "/problems",
            monitor: "/monitor/",
          }),
  );
  app.get("/openapi.json", (c) => c.json({ services: documents }));
  app.get("/healthz", (c) => c.json({ service: "gateway", healthy: true }));
  app.get(
    "/readyz",
    readinessHandler("gateway", [...services, { name: "monitor", upstream: monitor }].map(readinessOf), {
      timeoutMs: READY_MS,
    }),
  );
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
  c.res.headers.set("x-request-id", c.get("requestId"));
};

const wantsHtml = (c: Context): boolean => /\btext\/html\b/i.test(c.req.header("accept") ?? "");

const documentsOf = (services: OwnRoutesOptions["services"]) =>
  services.flatMap(({ name, majors }) =>
    majors.map((major) => ({ name, major, url: `/${name}/v${major}/openapi.json` })),
  );

/** A service is ready when its own `/readyz` says so; what it lacks is passed on by name. */
const readinessOf = ({ name, upstream }: { name: string; upstream: Upstream }): ReadinessCheck => ({
  name,
  async check() {
    const response = await upstream.fetch(new Request(`http://${name}/readyz`));
    if (response.ok) {
      await response.body?.cancel();
      return ok(undefined);
    }
    return err({ detail: await missingIn(response) });
  },
});

const missingIn = async (response: Response): Promise<string> => {
  try {
    const { checks } = (await response.json()) as Readiness;
    const failed = checks.filter(({ ready }) => !ready);
    return failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
  } catch {
    return `it answered ${response.status}, expected 200`;
  }
};
