/** The read store suite: D1 as Miniflare runs it. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe } from "vitest";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { testReadStore } from "./read-store.ts";

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

  testReadStore("D1", {
    async create() {
      await database.batch(
        [
          "DROP TABLE IF EXISTS checkpoints",
          "DROP TABLE IF EXISTS things",
          "CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)",
          "CREATE TABLE things (id TEXT PRIMARY KEY, text TEXT NOT NULL)",
        ].map((statement) => database.prepare(statement)),
      );
      return {
        store: d1ReadStore(database),
        things: async () => (await database.prepare("SELECT * FROM things ORDER BY id").all<never>()).results,
      };
    },
  });
});
