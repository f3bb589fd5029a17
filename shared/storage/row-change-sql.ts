/** Row changes as SQL that SQLite and Postgres share: each statement makes as many rows as one JSON parameter holds. */
import type { Row, RowChange } from "../cqrs/row-change.ts";
import { columnsOf } from "../cqrs/row-change-columns.ts";
import { quotedIdentifier } from "./identifier.ts";
import { jsonRows } from "./json-rows.ts";

export interface SqlStatement {
  readonly sql: string;
  readonly params: readonly (string | number)[];
}

/** How a database reads rows out of a JSON parameter. */
export interface RowsDialect {
  /** A row of the JSON array. */
  encode(row: Row, columns: readonly string[]): object;
  /** `FROM` what the rows are, as `given`. */
  from(table: string): string;
  /** A column of `given`. */
  given(column: string, place: number): string;
  /** In which order rows are written. */
  order(keyColumns: number): string;
}

/** @throws TypeError for a change that is no set, or for names that are none */
export const rowChangeStatements = (change: RowChange, dialect: RowsDialect): SqlStatement[] => {
  const columns = columnsOf(change);
  const valueless = columns.length === change.key.length;
  if (columns.length === 0 || (valueless && (change.change === "update" || change.change === "set")))
    return [];
  const sql = statementFor(change, columns, dialect);
  return jsonRows(encoded(change, columns, dialect)).map((json) => ({ sql, params: [json] }));
};

function* encoded(
  { rows }: RowChange,
  columns: readonly string[],
  { encode }: RowsDialect,
): Iterable<object> {
  for (const row of rows) yield encode(row, columns);
}

const statementFor = (
  { change, table, key }: RowChange,
  columns: readonly string[],
  dialect: RowsDialect,
): string => {
  const target = quotedIdentifier(table);
  const from = `FROM ${dialect.from(target)}`;
  const all = columns.map((column, place) => ({
    name: quotedIdentifier(column),
    given: dialect.given(column, place),
  }));
  const keys = all.slice(0, key.length);
  const values = all.slice(key.length);
  const keyNames = keys.map(({ name }) => name).join(", ");
  const sameKey = keys.map(({ name, given }) => `standing.${name} = ${given}`).join(" AND ");
  const keptByNull = ({ name, given }: (typeof all)[number]) => `coalesce(${given}, standing.${name})`;
  const set = (value: (column: (typeof all)[number]) => string) =>
    values.map((column) => `${column.name} = ${value(column)}`).join(", ");

  const insert = (value: (column: (typeof all)[number]) => string, onConflict: string, join = "") =>
    [
      `INSERT INTO ${target} (${all.map(({ name }) => name).join(", ")})`,
      `SELECT ${[...keys.map(({ given }) => given), ...values.map(value)].join(", ")} ${from}${join}`,
      // Without a WHERE, SQLite takes what follows for a join's ON.
      `WHERE true ${dialect.order(key.length)} ON CONFLICT (${keyNames}) DO ${onConflict}`,
    ].join(" ");
  const given = ({ given }: (typeof all)[number]) => given;
  const replace = `UPDATE SET ${set(({ name }) => `excluded.${name}`)}`;

  if (change === "delete") {
    return `DELETE FROM ${target} WHERE (${keyNames}) IN (SELECT ${keys.map(given).join(", ")} ${from})`;
  }
  if (change === "insert" || values.length === 0) return insert(given, "NOTHING");
  switch (change) {
    case "upsert":
      return insert(given, replace);
    case "merge":
      // What stands is looked up first: a null for a NOT NULL column is refused before any conflict is looked at.
      return insert(keptByNull, replace, ` LEFT JOIN ${target} AS standing ON ${sameKey}`);
    case "update":
      return `UPDATE ${target} AS standing SET ${set(keptByNull)} ${from} WHERE ${sameKey}`;
    case "set":
      return `UPDATE ${target} AS standing SET ${set(given)} ${from} WHERE ${sameKey}`;
    case "add":
      return insert(
        ({ given }) => `coalesce(${given}, 0)`,
        `UPDATE SET ${set(({ name }) => `coalesce(${target}.${name}, 0) + excluded.${name}`)}`,
      );
  }
};
