/** The read store suite: libSQL in a file. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { libsqlReadStore } from "#shared/storage/libsql-read-store.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { tablesOf, testReadStore } from "./read-store.ts";

describe("a file", () => {
  let folder: TemporaryFolder;
  let clients: Client[] = [];
  beforeAll(async () => {
    folder = await temporaryFolder("libsql");
  });
  afterEach(() => {
    for (const client of clients) client.close();
    clients = [];
  });
  afterAll(() => folder.remove());

  const types = { integer: "INTEGER", real: "REAL", flag: "INTEGER", json: "TEXT" };

  testReadStore("libSQL", {
    types,
    readFlag: (value) => (value === null ? null : value === 1),
    readJson: (value) => JSON.parse(String(value)),
    async names({ rows }) {
      const all = await rows("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL");
      return all.map(({ name }) => String(name)).sort();
    },
    async create() {
      const file = join(folder.path, "rows.db");
      await Promise.all(["", "-wal", "-shm"].map((end) => rm(`${file}${end}`, { force: true })));
      const client = createClient({ url: `file:${file}`, timeout: 5_000 });
      clients.push(client);
      await client.execute("PRAGMA journal_mode = WAL");
      await client.batch(tablesOf(types), "write");
      return {
        store: libsqlReadStore(client),
        async rows(query) {
          const { columns, rows } = await client.execute(query);
          return rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
        },
        run: async (...statements) => void (await client.batch(statements, "write")),
      };
    },
  });
});
