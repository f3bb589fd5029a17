/** Reads of a read model whose tables belong to tenants: of one tenant's rows alone. */
import { and, type Column, eq, type SQL } from "drizzle-orm";

/** A table with the column by which tenants are told apart. */
export interface TenantTable {
  readonly tenant: Column;
}

/**
 * The condition of a query, with which every query of such a table has to be made:
 * `where(ofTenant(tenant, notes, eq(notes.noteId, noteId)))`. Without it a query would be every tenant's.
 * @param conditions those that are undefined are left out
 */
export const ofTenant = (
  tenant: string,
  table: TenantTable,
  ...conditions: readonly (SQL | undefined)[]
): SQL => and(eq(table.tenant, tenant), ...conditions) as SQL;
