/** Lets in who has a bearer token (RFC 6750) that is large enough for the request. */
import type { MiddlewareHandler } from "hono";
import type { Failure } from "#shared/http/errors.ts";
import type { ServiceEnv } from "#shared/http/service-app.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { CONTROL } from "../contract.ts";
import { checkAccess, neededRole } from "./access-rules.ts";
import type { Caller } from "./caller.ts";
import { hashOf, presentedToken, sameHash } from "./token.ts";
import { type TokenMethods, UNKNOWN_TOKEN } from "./token-store.ts";

type AuthorisedEnv = { Variables: Omit<ServiceEnv["Variables"], "caller"> & { caller: Caller } };
type TokenFailure = Failure<"token_missing" | "token_unknown" | "token_expired">;

export interface AuthoriseOptions {
  /** The first admin's token; nobody is that when absent or empty. */
  readonly adminToken: string | undefined;
  readonly tokens: Pick<TokenMethods, "checkToken">;
}

/** The first admin's name in history; no other token may have it. */
export const FIRST_ADMIN = "admin";

const PREFIX = `/${CONTROL.service}/v${CONTROL.major}`;
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** Stands before every route below `/control/v1` that is added after it; those see the caller by `callerOf`. */
export const authorise =
  (options: AuthoriseOptions): MiddlewareHandler<AuthorisedEnv> =>
  async (c, next) => {
    const caller = await callerBy(c.req.header("authorization"), options);
    if (!caller.ok) return c.var.problem(caller.error, { headers: challenge(caller.error) });

    const request = {
      method: c.req.method,
      path: c.req.path.slice(PREFIX.length),
      service: c.req.query("service"),
    };
    const access = checkAccess(caller.value, request);
    if (!access.ok) {
      const scope = neededRole(request);
      return c.var.problem(access.error, {
        headers: { "www-authenticate": `${REALM}, error="insufficient_scope", scope="${scope}"` },
      });
    }
    c.set("caller", caller.value);
    return next();
  };

const REALM = `Bearer realm="skerry"`;

/** Section 3.1: no error is named to who presented nothing. */
const challenge = ({ code }: TokenFailure): { "www-authenticate": string } => ({
  "www-authenticate":
    code === "token_missing"
      ? REALM
      : `${REALM}, error="invalid_token", error_description="${code === "token_expired" ? "expired" : "unknown"}"`,
});

const callerBy = async (
  header: string | undefined,
  { adminToken, tokens }: AuthoriseOptions,
): Promise<Result<Caller, TokenFailure>> => {
  const token = BEARER.exec(header ?? "")?.[1];
  if (token === undefined) return err(MISSING);
  if (adminToken && sameHash(await hashOf(adminToken), await hashOf(token))) {
    return ok({ name: FIRST_ADMIN, role: "admin" });
  }
  const presented = await presentedToken(token);
  return presented ? tokens.checkToken(presented) : err(UNKNOWN_TOKEN);
};

const MISSING: TokenFailure = {
  code: "token_missing",
  detail: `Looking for a token: expected the header "Authorization: Bearer <token>".`,
};
