/** The tables of the orders service, for databases that no migration of Wrangler's reaches. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "#cli/workers.ts";

const FOLDER = join(ROOT, "migrations/orders");

/** SQLite's statements, in order. */
export const ordersTables = async (): Promise<string[]> => {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".sql")).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(FOLDER, file), "utf8")));
  return texts.flatMap((text) => text.split("--> statement-breakpoint"));
};

/** The same for Postgres. */
export const ordersTablesInPostgres = async (): Promise<string[]> =>
  (await ordersTables()).map((sql) => sql.replaceAll("`", '"').replaceAll("integer", "bigint"));
