/** The door of a service that keeps tenants apart: whoever comes has to be of one. */
import type { Context, MiddlewareHandler } from "hono";
import type { ServiceApp, ServiceEnv } from "../http/service-app.ts";

/** Stands before every route that is added after it, and after those that are the operators'. */
export const requireTenant = (app: ServiceApp): void => {
  app.use(demandTenant);
};

/** Whose request it is. @throws Error in a service that keeps no tenants apart */
export const requestTenant = ({ var: { tenant } }: Context<ServiceEnv>): string => {
  if (tenant !== undefined) return tenant;
  throw new Error('Cannot tell whose request it is: expected a service that declares `tenants: "required"`');
};

const demandTenant: MiddlewareHandler<ServiceEnv> = async function demandTenant(c, next) {
  const tenant = c.var.caller?.tenant;
  if (tenant === undefined) {
    return c.var.problem({
      code: "tenant_required",
      detail: `Calling ${c.req.method} on ${JSON.stringify(c.req.path.slice(0, 200))}: expected credentials that belong to a tenant.`,
    });
  }
  c.set("tenant", tenant);
  return next();
};
