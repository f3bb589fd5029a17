/** Conditions of a query that the client may leave out, for Drizzle in any dialect. */
import type { Column, SQL } from "drizzle-orm";

/**
 * `filter(eq, orders.status, status)`: nothing for undefined, which `and` leaves out.
 * @param operator of drizzle-orm: `eq`, `lt`, `gt`
 */
export const filter = <Of extends Column>(
  operator: (column: Of, value: Of["_"]["data"]) => SQL,
  column: Of,
  value: Of["_"]["data"] | undefined,
): SQL | undefined => (value === undefined ? undefined : operator(column, value));
