/** Who may look into a service's inside and change it while it runs: operators. */
import type { MiddlewareHandler } from "hono";
import type { ServiceApp, ServiceEnv } from "../http/service-app.ts";

/** What a caller's credentials must allow. */
export const OPERATE_SCOPE = "skerry:operate";

/**
 * Demands the scope on these paths and all below them of whoever comes with the gateway's word for its caller. Where nobody is
 * asked who calls, because the worker was started without identity keys, everybody may. A tenant's caller may not, whatever its
 * scopes: an operator sees what all of them have.
 * @param options.anybody as a development machine wants it: no credentials are needed
 */
export const operatorsOnly = (
  app: ServiceApp,
  paths: readonly string[],
  { anybody }: { readonly anybody: boolean },
): void => {
  if (anybody) return;
  for (const path of paths) {
    app.use(path, demandScope);
    app.use(`${path}/*`, demandScope);
  }
};

const demandScope: MiddlewareHandler<ServiceEnv> = async function demandScope(c, next) {
  const { caller } = c.var;
  if (!caller) return next();
  if (caller.tenant !== undefined) {
    return c.var.problem({
      code: "scope_missing",
      detail: `Calling ${c.req.method} on ${JSON.stringify(c.req.path.slice(0, 200))} for the tenant "${caller.tenant}": expected an operator, who is of no tenant.`,
    });
  }
  if (caller.scopes.includes(OPERATE_SCOPE)) return next();
  const who = caller.by === "none" ? "a caller whom nobody asked for credentials" : `"${caller.subject}"`;
  return c.var.problem({
    code: "scope_missing",
    detail: `Calling ${c.req.method} on ${JSON.stringify(c.req.path.slice(0, 200))} as ${who}: expected the scope "${OPERATE_SCOPE}".`,
  });
};
