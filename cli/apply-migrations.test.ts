/** Holds how migrations reach a database. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyMigrations, statementsOf } from "./apply-migrations.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-migrations-"));
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    cf: false,
    modules: [{ type: "ESModule", path: "empty.mjs", contents: "export default {}" }],
    d1Databases: ["DB"],
  }),
);

beforeAll(() => miniflare.ready);
afterAll(async () => {
  await miniflare.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const tables = async () => {
  const database = await miniflare.getD1Database("DB");
  const { results } = await database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all<{ name: string }>();
  return results.map(({ name }) => name);
};

test("statements come apart at drizzle-kit's marker and at semicolons", () => {
  expect(
    statementsOf("CREATE TABLE a (b);--> statement-breakpoint\nCREATE INDEX c ON a (b);\n"),
  ).toHaveLength(2);
});

test("each file is applied once, in the order of the names", async () => {
  writeFileSync(join(folder, "0001_second.sql"), "ALTER TABLE shells ADD COLUMN size integer;");
  writeFileSync(join(folder, "0000_first.sql"), "CREATE TABLE shells (id text);");
  const database = await miniflare.getD1Database("DB");
  expect(await applyMigrations(database, folder)).toEqual(["0000_first.sql", "0001_second.sql"]);
  expect(await applyMigrations(database, folder)).toEqual([]);
});

test("a file that fails is named and leaves nothing of itself behind", async () => {
  writeFileSync(
    join(folder, "0002_third.sql"),
    "CREATE TABLE half (id text); CREATE TABLE shells (id text);",
  );
  const database = await miniflare.getD1Database("DB");
  await expect(applyMigrations(database, folder)).rejects.toThrow("0002_third.sql");
  expect(await tables()).not.toContain("half");
});

test("a service without migrations has none to apply", async () => {
  expect(await applyMigrations(await miniflare.getD1Database("DB"), join(folder, "absent"))).toEqual([]);
});
