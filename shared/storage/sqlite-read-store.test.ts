import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { nodeSqliteReadStore } from "#test/bench/node-sqlite-read-store.ts";
import type { SqlStatement } from "./row-change-sql.ts";
import { sqliteReadStore } from "./sqlite-read-store.ts";

it("takes no table's place when a guard moves between the look at the tables and the transaction", async () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL)");
  database.exec("CREATE TABLE things (id TEXT PRIMARY KEY)");
  const plain = nodeSqliteReadStore(database);
  const copies = { tables: ["things"], suffix: "v2", copy: "p@v2" };
  await plain.createCopies(copies);
  const moving = sqliteReadStore({
    async rows<Row>({ sql, params }: SqlStatement) {
      const found = database.prepare(sql).all(...params) as Row[];
      await plain.apply({ projection: "fence", from: 0, to: 1, changes: [] });
      return found;
    },
    async run(statements) {
      database.exec("BEGIN");
      try {
        for (const { sql, params } of statements) database.prepare(sql).run(...params);
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  });
  const guards = [{ name: "fence", at: 0 }];
  expect(await moving.takeOver({ ...copies, projection: "p", at: 0, guards })).toBe("moved");
  expect(await plain.copiesFit(copies)).toBe(true);
});
