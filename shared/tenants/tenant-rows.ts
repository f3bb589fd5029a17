/** Reads of a read model whose tables belong to tenants: of one tenant's rows alone. */
import { and, type Column, eq, type SQL, sql } from "drizzle-orm";

/** A table with the column by which tenants are told apart. */
export interface TenantTable {
  readonly tenant: Column;
}

/**
 * The condition of a query, with which every query of such a table has to be made:
 * `where(ofTenant(tenant, notes, eq(notes.noteId, noteId)))`. Without it a query would be every tenant's.
 * @param conditions those that are undefined are left out; all of the others have to hold, also where one is SQL written by
 * hand that has an `or` in it
 */
export const ofTenant = (
  tenant: string,
  table: TenantTable,
  ...conditions: readonly (SQL | undefined)[]
): SQL =>
  // Drizzle joins what is written by hand as it stands, and there an `or` would let in every tenant's rows.
  and(eq(table.tenant, tenant), ...conditions.map((condition) => condition && sql`(${condition})`)) as SQL;
