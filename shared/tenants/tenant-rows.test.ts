import { DatabaseSync } from "node:sqlite";
import { eq, or, type SQL, sql } from "drizzle-orm";
import { SQLiteSyncDialect, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import { ofTenant } from "./tenant-rows.ts";

const notes = sqliteTable("notes", { tenant: text().notNull(), note: text().notNull() });

const found = (...conditions: readonly (SQL | undefined)[]) => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE notes (tenant TEXT, note TEXT)");
  database.exec("INSERT INTO notes VALUES ('acme', 'a'), ('acme', 'b'), ('rival', 'a'), ('rival', 'b')");
  const where = new SQLiteSyncDialect().sqlToQuery(ofTenant("acme", notes, ...conditions));
  const rows = database
    .prepare(`SELECT tenant, note FROM notes WHERE ${where.sql} ORDER BY tenant, note`)
    .all(...(where.params as string[]));
  database.close();
  return rows.map(({ tenant, note }) => `${tenant} ${note}`);
};

test.each<[string, readonly (SQL | undefined)[], readonly string[]]>([
  ["none", [], ["acme a", "acme b"]],
  ["one that is left out", [undefined, eq(notes.note, "b")], ["acme b"]],
  ["alternatives", [or(eq(notes.note, "a"), eq(notes.note, "b"))], ["acme a", "acme b"]],
  [
    "alternatives that are written by hand",
    [sql`${notes.note} = 'a' or ${notes.note} = 'b'`],
    ["acme a", "acme b"],
  ],
  ["two, of which the first is alternatives", [sql`1 or 1`, eq(notes.note, "a")], ["acme a"]],
])("with whatever further conditions a query is of its tenant's rows: %s", (_, conditions, expected) => {
  expect(found(...conditions)).toEqual(expected);
});
