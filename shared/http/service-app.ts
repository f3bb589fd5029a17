/** The HTTP shell of every service: what all of them answer in the same way, around the routes that each adds. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, ErrorHandler, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import type { ZodError } from "zod";
import { type ArmNote, withArmNote } from "../config/arm-note.ts";
import type { Config } from "../config/config.ts";
import type { Caller } from "../identity/caller.ts";
import type { IdentityVerifier } from "../identity/identity-verifier.ts";
import { requireIdentity } from "../identity/require-identity.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { tracedServer } from "../telemetry/http-server.ts";
import { allowedMethods } from "./allowed-methods.ts";
import { type Failure, PLATFORM_PROBLEMS, type ProblemTable } from "./errors.ts";
import { readJsonBody } from "./json-body.ts";
import { type FieldFault, type ProblemExtras, type ProblemResponse, problemResponse } from "./problem.ts";
import { type ReadinessCheck, readinessHandler } from "./readiness.ts";

/** What handlers find in `c.var`. */
export interface ServiceEnv {
  Variables: {
    /** `return c.var.problem(failure)`: the answer that the tables describe for its code. */
    problem: (failure: Failure, extras?: ProblemExtras) => ProblemResponse;
    /** By the gateway's word; absent where nobody is asked. */
    caller?: Caller;
    /** Whose request it is, in a service that keeps tenants apart; read it by `requestTenant`. */
    tenant?: string;
  };
}

export type ServiceApp = OpenAPIHono<ServiceEnv>;

export interface ServiceAppOptions {
  /** First segment of every path: "orders". */
  readonly name: string;
  /** Second segment: 1 for `/orders/v1`. */
  readonly major: number;
  /** One sentence for the service's document. */
  readonly description: string;
  /** The service's own problems, beside the platform's. */
  readonly problems: ProblemTable;
  /** What must answer before the service takes requests. */
  readonly readiness: readonly ReadinessCheck[];
  /** The bound of a request's body by its path and method; `LIMITS.requestBodyBytes` for all when absent. */
  readonly bodyBytesMax?: (path: string, method: string) => number;
  /** Its configuration: answers made under a roll-out say so (`Skerry-Config`). */
  readonly config?: Pick<Config<unknown>, "rollout">;
  /** Lets in only what comes with the gateway's word for its caller. Absent: nobody is asked, as by who has another way to ask. */
  readonly identity?: {
    /** Undefined lets everybody in, and that is said once: the worker was started without keys. */
    readonly verifier: IdentityVerifier | undefined;
  };
}

/**
 * An app whose routes stand under `/{name}/v{major}`: add them with `app.openapi(route, handler)`.
 * Stands already: tracing, who may come in, problems for everything that goes wrong, bounded JSON bodies, 405 with `Allow`,
 * `/{name}/v{major}/openapi.json`, `/healthz` and `/readyz`.
 */
export const createServiceApp = (options: ServiceAppOptions): ServiceApp => {
  const table: ProblemTable = { ...PLATFORM_PROBLEMS, ...options.problems };
  const root = new OpenAPIHono<ServiceEnv>({ defaultHook: refuseInvalid });
  root.use(tracedServer(), repeatRequestId);
  if (options.identity) root.use(requireIdentity({ service: options.name, ...options.identity }));
  if (options.config) root.use(tellArm(options.config));
  root.use(offerProblems(table), checkBody(options.bodyBytesMax));
  root.get("/healthz", (c) => c.json({ service: options.name, healthy: true }));
  root.get("/readyz", readinessHandler(options.name, options.readiness));

  const app = root.basePath(`/${options.name}/v${options.major}`);
  app.onError(refuseThrown);
  app.notFound((c) => refuseUnknown(c, allowedMethods(app.routes, c.req.path)));
  app.get("/openapi.json", documentHandler(app, options));
  return app;
};

/** The id that the gateway gave the request: repeated here, where an answer can be changed without a copy. */
const repeatRequestId: MiddlewareHandler = async (c, next) => {
  await next();
  const requestId = c.req.raw.headers.get("x-request-id");
  if (requestId !== null) c.res.headers.set("x-request-id", requestId);
};

/**
 * By it the gateway counts the answers of each arm. Where isolates take part, all that an isolate answers is its arm's making;
 * where keys do, what was answered after the configuration was read for one.
 */
const tellArm = (config: Pick<Config<unknown>, "rollout">): MiddlewareHandler =>
  async function tellArm(c, next) {
    const rollout = config.rollout();
    if (!rollout) return next();
    const { id, isolatesArm } = rollout;
    const note: ArmNote = isolatesArm ? { taken: { rollout: id, arm: isolatesArm } } : {};
    await withArmNote(note, next);
    if (note.taken) c.res.headers.set("skerry-config", `${note.taken.rollout}; arm=${note.taken.arm}`);
  };

const offerProblems = (table: ProblemTable): MiddlewareHandler<ServiceEnv> =>
  async function offerProblems(c, next) {
    c.set("problem", (failure, extras) =>
      problemResponse(failure, table, { instance: c.req.path, ...extras }),
    );
    await next();
  };

/** Reads and checks the body once, so that validators find text that parses. Requests that match no route are left to 404 and 405. */
const checkBody = (bytesMax: ServiceAppOptions["bodyBytesMax"]): MiddlewareHandler<ServiceEnv> =>
  async function checkBody(c, next) {
    const { method: asked, path, raw } = c.req;
    if (raw.body !== null && matchedRoutes(c).some(({ method }) => method === asked)) {
      const text = await readJsonBody(raw, bytesMax?.(path, asked));
      if (!text.ok) return c.var.problem(text.error);
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text.value ?? "") });
    }
    return next();
  };

/** Runs after each zod validation; what it returns is the answer. */
const refuseInvalid = (
  result: { target: string; success: boolean; error?: ZodError },
  c: Context<ServiceEnv>,
): Response | undefined => {
  if (result.success || !result.error) return undefined;
  const errors = result.error.issues.flatMap(faultsOf);
  const [code, subject] =
    result.target === "json" ? ["invalid_body", "body"] : ["invalid_parameter", PARAMETERS[result.target]];
  const first = errors[0];
  const place = first?.path ? ` at "${first.path}"` : "";
  return c.var.problem(
    { code, detail: `Reading the ${subject}${place}: ${first?.message ?? "not valid"}.` },
    { errors },
  );
};

const PARAMETERS: Readonly<Record<string, string>> = {
  param: "path",
  query: "query",
  header: "headers",
  cookie: "cookies",
};

const FAULT_LENGTH_MAX = 200;

/** Unknown fields are told one by one, each at its own path; messages that repeat long input are cut. */
const faultsOf = (issue: ZodError["issues"][number]): FieldFault[] =>
  issue.code === "unrecognized_keys"
    ? issue.keys.slice(0, 20).map((key) => ({
        path: [...issue.path, key.slice(0, 64)].join("."),
        message: "This field is not known here",
      }))
    : [{ path: issue.path.join("."), message: issue.message.slice(0, FAULT_LENGTH_MAX) }];

/** Nothing of what was thrown reaches the client; the request's span has it from `c.error`. */
const refuseThrown: ErrorHandler<ServiceEnv> = (error, c) => {
  if (error instanceof HTTPException && error.status === 415) {
    const mediaType = c.req.header("content-type") ?? "";
    return c.var.problem({
      code: "unsupported_media_type",
      detail: `Reading the body: its Content-Type is "${mediaType}"; expected "application/json".`,
    });
  }
  if (error instanceof HTTPException && error.status < 500) {
    return c.var.problem({ code: "invalid_json", detail: `Reading the body: ${error.message}.` });
  }
  if (error instanceof ActorUnavailable) {
    return c.var.problem({
      code: "unavailable",
      detail: "What answers this cannot be reached at the moment.",
    });
  }
  return c.var.problem({ code: "internal_error", detail: "The request was not completed." });
};

const refuseUnknown = (c: Context<ServiceEnv>, allowed: readonly string[]): Response => {
  const path = JSON.stringify(c.req.path.slice(0, 200));
  if (allowed.length === 0 || allowed.includes(c.req.method)) {
    return c.var.problem({ code: "not_found", detail: `Looking for ${path}: no such address.` });
  }
  const allow = allowed.join(", ");
  return c.var.problem(
    { code: "method_not_allowed", detail: `Calling ${c.req.method} on ${path}: expected one of ${allow}.` },
    { headers: { allow } },
  );
};

/** The document is made once, when it is first asked for: routes do not change while a worker runs. */
const documentHandler = (app: ServiceApp, { name, major, description }: ServiceAppOptions) => {
  let document: string | undefined;
  return () => {
    document ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: { title: name, version: `${major}`, description },
      }),
    );
    return new Response(document, { headers: { "content-type": "application/json" } });
  };
};
