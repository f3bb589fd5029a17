/** A service's door: only what comes with the gateway's word for its caller is let in. */
import type { Context, MiddlewareHandler } from "hono";
import { PLATFORM_PROBLEMS } from "../http/errors.ts";
import { problemResponse } from "../http/problem.ts";
import { err } from "../result.ts";
import type { Caller } from "./caller.ts";
import { withCarried } from "./carry-identity.ts";
import { IDENTITY_HEADER } from "./identity-token.ts";
import type { IdentityRefusal, IdentityVerifier, VerifiedIdentity } from "./identity-verifier.ts";
import type { WaitUntil } from "./key-set-source.ts";

/** What handlers find in `c.var`. */
export interface IdentityEnv {
  Variables: {
    /** Absent on operational paths, and where no keys are configured. */
    caller?: Caller;
  };
}

export interface RequireIdentityOptions {
  /** The service's name. */
  readonly service: string;
  /** Undefined lets everybody in: one service that is developed by itself. */
  readonly verifier: IdentityVerifier | undefined;
  /** Hears once that everybody is let in. */
  readonly warn?: (message: string) => void;
}

/** What a platform asks itself, before and beside its callers. */
const OPERATIONAL = /^\/(?:healthz|readyz|[^/]+\/v\d+\/openapi\.json)$/;

const MISSING: IdentityRefusal = {
  code: "identity_missing",
  detail: `Reading who calls: expected a token in "${IDENTITY_HEADER}", which the gateway adds.`,
};

/** Who calls, by the gateway's word. */
export const verifiedCaller = (
  request: Request,
  verifier: IdentityVerifier,
  waitUntil?: WaitUntil,
): VerifiedIdentity | Promise<VerifiedIdentity> => {
  const token = request.headers.get(IDENTITY_HEADER);
  return token === null ? err(MISSING) : verifier.verify(token, waitUntil);
};

/** The answer to who comes without; for services without Hono, too. */
export const refuseIdentity = (refusal: IdentityRefusal, path: string): Response =>
  problemResponse(refusal, PLATFORM_PROBLEMS, {
    instance: path,
    ...(refusal.code !== "unavailable" && {
      headers: { "www-authenticate": 'SkerryIdentity realm="skerry"' },
    }),
  });

/** Register it after the tracing and before everything that answers. */
export const requireIdentity = (options: RequireIdentityOptions): MiddlewareHandler<IdentityEnv> => {
  const { service, verifier, warn = console.warn } = options;
  let isSaid = false;
  return async function requireIdentity(c, next) {
    if (!verifier) {
      if (!isSaid) warn(`The service "${service}" lets everybody in: it was started without IDENTITY_KEYS`);
      isSaid = true;
      return next();
    }
    if (OPERATIONAL.test(c.req.path)) return next();
    const verified = await verifiedCaller(c.req.raw, verifier, untilOf(c));
    if (!verified.ok) return refuseIdentity(verified.error, c.req.path);
    c.set("caller", verified.value);
    return withCarried(c.req.raw, next);
  };
};

/** A process has no such thing: its work goes on by itself. */
const untilOf =
  (c: Context): WaitUntil =>
  (work) => {
    try {
      c.executionCtx.waitUntil(work);
    } catch {
      work.catch(() => undefined);
    }
  };
