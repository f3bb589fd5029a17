/** Ids of a service that keeps tenants apart: the tenant is a part of the aggregate's id, so that whatever goes by the id goes by it. */
import { AGGREGATE_ID } from "./event.ts";

/** Whether it can name a tenant: as an aggregate's id, safe as one token of a subject, of a path and of a header. */
export const isTenant = (value: unknown): value is string =>
  typeof value === "string" && AGGREGATE_ID.test(value);

/**
 * `<tenant>.<id>`: two tokens of a subject, so that `log.<service>.*.<tenant>.>` is all that a tenant has in a log.
 * @throws RangeError when either is not one safe token, so also for an id that has a tenant already
 */
export const inTenant = (tenant: string, id: string): string => {
  for (const token of [tenant, id]) {
    if (AGGREGATE_ID.test(token)) continue;
    throw new RangeError(
      `Cannot name "${id.slice(0, 80)}" of the tenant "${tenant.slice(0, 80)}": expected 1 to 64 letters, digits, "_" or "-" of each`,
    );
  }
  return `${tenant}.${id}`;
};

/** Whose it is; undefined for an id that is nobody's. */
export const tenantOf = (id: string): string | undefined => {
  const end = id.indexOf(".");
  return end < 0 ? undefined : id.slice(0, end);
};

/** The id as its tenant knows it. */
export const withoutTenant = (id: string): string => id.slice(id.indexOf(".") + 1);
