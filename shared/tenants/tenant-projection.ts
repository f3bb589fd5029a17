/** A projection of a service that keeps tenants apart: it sees one tenant's commits at a time, and its rows carry the tenant. */
import type { Projection } from "../cqrs/projection.ts";
import type { Row, RowChange } from "../cqrs/row-change.ts";
import type { Commit } from "../events/event.ts";
import { tenantOf } from "../events/tenant-id.ts";

/** In every table of such a service, and the first of its primary key. */
export const TENANT_COLUMN = "tenant";

/**
 * What a tenant's commits change are rows of this tenant, also by `set`: no code of the projection has to think of it, and none
 * can reach further. It stops at a commit that is nobody's.
 */
export const tenantProjection = (projection: Projection): Projection => {
  const { changes, former } = projection;
  return {
    ...projection,
    changes: (commits) => eachTenant(commits, (own) => changes.call(projection, own)),
    ...(former && {
      former: {
        ...former,
        changes: (commits) => eachTenant(commits, (own) => former.changes(own)),
      },
    }),
  };
};

const eachTenant = (
  commits: readonly Commit[],
  changes: (commits: readonly Commit[]) => readonly RowChange[],
): readonly RowChange[] => {
  const byTenant = Map.groupBy(commits, tenantOfCommit);
  return together(
    [...byTenant].map(([tenant, own]) => changes(own).map((change) => ofTenant(tenant, change))),
  );
};

const tenantOfCommit = ({ aggregate: { type, id } }: Commit): string => {
  const tenant = tenantOf(id);
  if (tenant !== undefined) return tenant;
  throw new Error(`Projecting the commit of ${type} "${id}": it is of no tenant; expected one`);
};

const ofTenant = (tenant: string, { key, rows, ...change }: RowChange): RowChange => {
  // All rows of a change have the same columns, so that the first one tells those which SQLite takes for the tenant's, too.
  if (Object.keys(rows[0] ?? {}).some((column) => column.toLowerCase() === TENANT_COLUMN)) {
    throw new Error(
      `Changing the table "${change.table}": a row says its tenant itself; expected it to be left out`,
    );
  }
  return {
    ...change,
    key: [TENANT_COLUMN, ...key],
    // The tenant is what is said last: what another row says by itself does not hold.
    rows: rows.map((row): Row => ({ ...row, [TENANT_COLUMN]: tenant })),
  };
};

/**
 * The tenants' changes, each tenant's in its order, in as few as they fit into: a batch of many tenants is no more statements than
 * one of a single one. Rows of two tenants have no key in common, so that only the order within each matters.
 */
const together = (tenants: readonly (readonly RowChange[])[]): readonly RowChange[] => {
  const steps = Math.max(0, ...tenants.map(({ length }) => length));
  return Array.from({ length: steps }, (_, step) => {
    const concurrent = tenants
      .flatMap((changes) => changes[step] ?? [])
      .filter(({ rows }) => rows.length > 0);
    return [...Map.groupBy(concurrent, shapeOf).values()].map(
      ([first, ...others]): RowChange => ({
        ...(first as RowChange),
        rows: [first as RowChange, ...others].flatMap(({ rows }) => rows),
      }),
    );
  }).flat();
};

const shapeOf = ({ change, table, key, rows: [row] }: RowChange): string =>
  JSON.stringify([change, table, key, Object.keys(row ?? {}).toSorted()]);
