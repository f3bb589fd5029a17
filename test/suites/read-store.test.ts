/** The read store suite: D1 as Miniflare runs it. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe } from "vitest";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { tablesOf, testReadStore } from "./read-store.ts";

describe("Miniflare", () => {
  let miniflare: Miniflare;
  let database: D1Database;

  beforeAll(async () => {
    const worker = {
      name: "rows",
      modules: true as const,
      script: "export default {}",
      d1Databases: { DB: "db" },
      compatibilityDate: "2026-10-01",
    };
    miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [worker] }));
    database = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  });
  afterAll(() => miniflare?.dispose());

  const types = { integer: "INTEGER", real: "REAL", flag: "INTEGER", json: "TEXT" };

  testReadStore("D1", {
    types,
    readFlag: (value) => (value === null ? null : value === 1),
    readJson: (value) => JSON.parse(String(value)),
    async names({ rows }) {
      const all = await rows(
        "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB '_cf_*'",
      );
      return all.map(({ name }) => String(name)).sort();
    },
    async create() {
      const run = async (...statements: string[]) =>
        void (await database.batch(statements.map((statement) => database.prepare(statement))));
      const rows = async (query: string) =>
        (await database.prepare(query).all<Record<string, unknown>>()).results;
      const standing = await rows(
        "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT GLOB '_cf_*' ORDER BY rowid DESC",
      );
      await run(...standing.map(({ type, name }) => `DROP ${type} "${name}"`), ...tablesOf(types));
      return { store: d1ReadStore(database), rows, run };
    },
  });
});
