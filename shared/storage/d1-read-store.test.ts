import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { d1ReadStore } from "./d1-read-store.ts";
import { normalised } from "./sqlite-ddl.ts";

/** As drizzle-kit writes them: an index by its name, and a table that is made anew under another one. */
const LATER = `
DROP INDEX \`orders_by_customer\`;--> statement-breakpoint
CREATE TABLE \`__new_orders\` (\`order_id\` text PRIMARY KEY NOT NULL, \`customer_id\` text NOT NULL);--> statement-breakpoint
INSERT INTO \`__new_orders\`("order_id", "customer_id") SELECT "order_id", "customer_id" FROM \`orders\`;--> statement-breakpoint
DROP TABLE \`orders\`;--> statement-breakpoint
ALTER TABLE \`__new_orders\` RENAME TO \`orders\`;--> statement-breakpoint
CREATE INDEX \`orders_by_customer\` ON \`orders\` (\`customer_id\`);`;

describe("a table that has been taken over", () => {
  let test: TestDatabase;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    test = await startD1Database("orders");
    folder = await temporaryFolder("migrations");
  });
  afterAll(async () => {
    await test.close();
    await folder.remove();
  });

  const schema = async () => {
    const { results } = await test.database
      .prepare(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name GLOB '*orders*' ORDER BY name",
      )
      .all<{ name: string; sql: string }>();
    return results.map(({ name, sql }) => [name, normalised(sql)]);
  };

  it("is what the migrations made, so that later ones apply", async () => {
    const store = d1ReadStore(test.database);
    const copies = { tables: ["orders"], suffix: "v2", copy: "orders@v2" };
    const before = await schema();
    expect(before.map(([name]) => name)).toEqual(["orders", "orders_by_customer", "orders_by_status"]);
    for (let round = 0; round < 2; round++) {
      await store.createCopies(copies);
      expect(await store.takeOver({ ...copies, projection: "orders", at: 0 })).toBe("taken");
      expect(await schema()).toEqual(before);
    }
    await writeFile(join(folder.path, "0001_later.sql"), LATER);
    expect(await applyMigrations(test.database as never, folder.path)).toEqual(["0001_later.sql"]);
  });
});
