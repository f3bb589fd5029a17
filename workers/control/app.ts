/** The control plane over HTTP: every part's routes behind tokens, and looks of isolates without. */
import type { ReadinessCheck } from "#shared/http/readiness.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { withoutBreakers } from "./breakers/answering-looks.ts";
import { addBreakerRoutes } from "./breakers/routes.ts";
import { CONTROL, CONTROL_PROBLEMS } from "./contract.ts";
import type { ControlMethods } from "./control-plane.ts";
import { bodyBytesMax } from "./documents/body-bytes.ts";
import { addDocumentRoutes } from "./documents/routes.ts";
import { addRegistryRoutes } from "./registry/routes.ts";
import { addRolloutRoutes } from "./rollouts/routes.ts";
import type { AnswerLook } from "./spread/changes.ts";
import { recentEpoch } from "./spread/recent-epoch.ts";
import { addSpreadRoutes, LOOK_PATH, lookHandler } from "./spread/routes.ts";
import { authorise } from "./tokens/authorise.ts";
import { addTokenRoutes } from "./tokens/routes.ts";
import { hearingEpoch, type Telling } from "./told-epoch.ts";

export interface ControlAppOptions {
  readonly actor: Telling<ControlMethods>;
  /** The first admin's token; nobody is that when absent or empty. */
  readonly adminToken: string | undefined;
  readonly clock: Clock;
  readonly readiness: readonly ReadinessCheck[];
}

export interface ControlApp {
  /** The rest of the arguments is the runtime's. */
  fetch(request: Request, ...runtime: unknown[]): Response | Promise<Response>;
}

export const controlApp = ({
  actor: telling,
  adminToken,
  clock,
  readiness,
}: ControlAppOptions): ControlApp => {
  const { methods: actor, newest } = hearingEpoch(telling);
  const recent = recentEpoch({ clock });
  const answer: AnswerLook = (look) => recent.look(look, actor.look);
  const { service: name, major } = CONTROL;
  const description = "Configuration, roll-outs, and the registry of services.";
  const problems = CONTROL_PROBLEMS;
  const app = createServiceApp({ name, major, description, problems, readiness, bodyBytesMax });

  app.use(authorise({ adminToken, tokens: actor }));
  app.use(async (c, next) => {
    await next();
    if (c.req.method === "GET" || c.req.method === "HEAD") return;
    recent.forget();
    if (c.res.ok) c.res.headers.set("skerry-epoch", `${newest()}`);
  });
  addDocumentRoutes(app, { actor: () => actor });
  addRegistryRoutes(app, { actor });
  addRolloutRoutes(app, actor);
  addTokenRoutes(app, actor);
  addSpreadRoutes(app, { answer: withoutBreakers(answer), status: actor });
  addBreakerRoutes(app, actor);

  const onLook = lookHandler(answer);
  return {
    fetch: (request, ...runtime) =>
      pathAsItCame(request.url) === LOOK_PATH
        ? onLook(request)
        : app.fetch(request, ...(runtime as [unknown, ExecutionContext])),
  };
};

/** Not normalised: the gateway forwards by the path as it came, and `..` in it must not lead here from outside. */
const pathAsItCame = (url: string): string => url.slice(url.indexOf("/", url.indexOf("//") + 2));
