/** Statements that make copies of tables in SQLite, and that let them take the tables' places. */
import { copyName, quotedIdentifier } from "./identifier.ts";
import type { SqlStatement } from "./row-change-sql.ts";
import { namesIn, normalised, renamedIn } from "./sqlite-ddl.ts";

/** A row of `sqlite_schema`. */
export interface SchemaObject {
  readonly type: "table" | "index" | "view" | "trigger";
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string;
}

/** What is made by a statement; indexes that come with a table's constraints are not. */
export const READ_SCHEMA: SqlStatement = {
  sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid",
  params: [],
};

export interface Copies {
  readonly tables: readonly string[];
  readonly suffix: string;
}

const statement = (sql: string): SqlStatement => ({ sql, params: [] });

/** Only unique indexes, by which rows may be found: others are made in the end, which is faster than to keep them. */
export const createCopies = (schema: readonly SchemaObject[], { tables, suffix }: Copies): SqlStatement[] =>
  tables.flatMap((table) => {
    const standing = plainTable(schema, table);
    const copy = copyName(table, suffix);
    if (find(schema, copy)) return [];
    quotedIdentifier(copy);
    const unique = indexesOf(schema, table).filter(({ sql }) => /^CREATE\s+UNIQUE\s/i.test(sql));
    return [
      statement(renamedIn(standing.sql, table, copy)),
      ...unique.map(({ name, sql }) =>
        statement(renamedIn(renamedIn(sql, name, copyName(name, suffix)), table, copy)),
      ),
    ];
  });

/** A copy that is not there fits nothing. */
export const copiesFit = (schema: readonly SchemaObject[], { tables, suffix }: Copies): boolean =>
  tables.every((table) => {
    const [standing, filled] = [find(schema, table), find(schema, copyName(table, suffix))];
    return standing !== undefined && filled !== undefined && hasFormOf(filled, standing);
  });

const hasFormOf = (copy: SchemaObject, table: SchemaObject): boolean =>
  normalised(renamedIn(copy.sql, copy.name, table.name)) === normalised(table.sql);

/** SQLite renames no index: those of the table that goes are made anew, under their names, on the one that comes. */
export const takeOver = (
  schema: readonly SchemaObject[],
  { tables, suffix, keepAs }: Copies & { readonly keepAs?: string },
): SqlStatement[] =>
  tables.flatMap((table) => {
    const standing = plainTable(schema, table);
    const copy = copyName(table, suffix);
    const filled = find(schema, copy);
    const attempt = `Taking the place of the table "${table}" with "${copy}"`;
    if (!filled) throw new Error(`${attempt}: there is no copy; expected one that is filled`);
    if (!hasFormOf(filled, standing)) {
      throw new Error(
        `${attempt}: the table has changed since; expected the copy's columns. Rebuild once more`,
      );
    }
    const name = quotedIdentifier(table);
    const dropped = indexesOf(schema, copy).map((index) => dropIndex(index.name));
    const going =
      keepAs === undefined
        ? [statement(`DROP TABLE ${name}`)]
        : [
            statement(`ALTER TABLE ${name} RENAME TO ${quotedIdentifier(copyName(table, keepAs))}`),
            ...indexesOf(schema, table).map((index) => dropIndex(index.name)),
          ];
    return [
      ...going,
      ...dropped,
      statement(`ALTER TABLE ${quotedIdentifier(copy)} RENAME TO ${name}`),
      ...indexesOf(schema, table).map(({ sql }) => statement(sql)),
    ];
  });

export const dropCopies = ({ tables, suffix }: Copies): SqlStatement[] =>
  tables.map((table) => statement(`DROP TABLE IF EXISTS ${quotedIdentifier(copyName(table, suffix))}`));

const dropIndex = (name: string): SqlStatement => statement(`DROP INDEX "${name.replaceAll('"', '""')}"`);

const find = (schema: readonly SchemaObject[], table: string): SchemaObject | undefined =>
  schema.find(({ type, name }) => type === "table" && name.toLowerCase() === table.toLowerCase());

const indexesOf = (schema: readonly SchemaObject[], table: string): SchemaObject[] =>
  schema.filter(({ type, tbl_name }) => type === "index" && tbl_name.toLowerCase() === table.toLowerCase());

/** One on which nothing hangs that would not come along: views, triggers, foreign keys. */
const plainTable = (schema: readonly SchemaObject[], table: string): SchemaObject => {
  const attempt = `Copying the table "${table}"`;
  const found = find(schema, table);
  if (!found) throw new Error(`${attempt}: there is none; expected one that a migration has made`);
  const own = table.toLowerCase();
  for (const { type, name, tbl_name, sql } of schema) {
    const names = namesIn(sql);
    const refers =
      type === "table"
        ? names.some((word, at) => word === "references" && (name === found.name || names[at + 1] === own))
        : type !== "index" && (names.includes(own) || tbl_name.toLowerCase() === own);
    if (refers)
      throw new Error(`${attempt}: the ${type} "${name}" hangs on it by ${hangsBy(type)}; expected none`);
  }
  return found;
};

const hangsBy = (type: SchemaObject["type"]): string => (type === "table" ? "a foreign key" : "its name");
