import { SpanKind } from "@opentelemetry/api";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import { inSpan } from "../telemetry/span.ts";
import { tracedD1 } from "./traced-d1.ts";

const checkpoints = sqliteTable("checkpoints", { name: text().primaryKey(), position: text() });

const spans = recordSpans();
let test: TestDatabase;
let database: D1Database;
beforeAll(async () => {
  test = await startD1Database("orders");
  database = tracedD1(test.database, "orders");
});
afterAll(() => test.close());
beforeEach(() => void spans.take());

const inRequest = async <T>(work: () => Promise<T>) => {
  const result = await inSpan("request", {}, work);
  const ended = spans.take();
  return { result, spans: ended.filter(({ name }) => name !== "request") };
};

describe("tracedD1", () => {
  it("names what Drizzle does and to which table, and never tells the parameters", async () => {
    const db = drizzle(database);
    const { spans } = await inRequest(async () => {
      await db.insert(checkpoints).values({ name: "secret", position: "1" });
      await db.select().from(checkpoints).where(eq(checkpoints.name, "secret"));
      await db.update(checkpoints).set({ position: "2" }).where(eq(checkpoints.name, "secret"));
      return db.delete(checkpoints);
    });
    expect(spans.map(({ name }) => name)).toEqual([
      "INSERT checkpoints",
      "SELECT checkpoints",
      "UPDATE checkpoints",
      "DELETE checkpoints",
    ]);
    expect(spans[1]).toMatchObject({
      kind: SpanKind.CLIENT,
      attributes: {
        "db.system.name": "sqlite",
        "db.namespace": "orders",
        "db.operation.name": "SELECT",
        "db.collection.name": "checkpoints",
        "db.query.summary": "SELECT checkpoints",
        "db.query.text": expect.stringContaining("?"),
      },
    });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain("secret");
  });

  it("gives back what the database gives, row by row, raw and first", async () => {
    const { result } = await inRequest(async () => {
      const one = database.prepare("SELECT ? AS n").bind(7);
      return [await one.first("n"), await one.raw(), (await one.all()).results];
    });
    expect(result).toEqual([7, [[7]], [{ n: 7 }]]);
  });

  it("shows a batch as one, with its size, and runs it whole", async () => {
    const write = (name: string) =>
      database.prepare("INSERT INTO checkpoints (name, position) VALUES (?, 1)").bind(name);
    const { spans } = await inRequest(() => database.batch([write("a"), write("b")]));
    expect(spans.map(({ name, attributes }) => [name, attributes["db.operation.batch.size"]])).toEqual([
      ["BATCH orders", 2],
    ]);
    expect(await test.database.prepare("SELECT count(*) AS n FROM checkpoints").first("n")).toBe(2);
  });

  it("marks a failing statement and passes its error on", async () => {
    await expect(
      inSpan("request", {}, () => database.prepare("SELECT * FROM nowhere").all()),
    ).rejects.toThrow(/nowhere/);
    expect(spans.take().find(({ name }) => name === "SELECT nowhere")?.attributes["error.type"]).toBe(
      "Error",
    );
  });

  it("begins no trace of its own", async () => {
    await drizzle(database).all(sql`SELECT 1`);
    expect(spans.take()).toEqual([]);
  });
});
