/** Names of tables and columns in SQL: only those that need no escape in any dialect, and fit into Postgres' 63 bytes. */

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** @throws TypeError for another name */
export const quotedIdentifier = (name: string): string => {
  if (IDENTIFIER.test(name)) return `"${name}"`;
  throw new TypeError(
    `Naming "${name}" in SQL: expected at most 63 letters, digits and underscores, no digit first`,
  );
};

/** A table's copy under a suffix. */
export const copyName = (table: string, suffix: string): string => `${table}__${suffix}`;
