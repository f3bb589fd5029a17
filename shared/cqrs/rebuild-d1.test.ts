/** Holds on the real D1 what the unit tests hold in memory: no row is lost, doubled, or of another version. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  appendCommits,
  counting,
  countingProjection,
  sumsIn,
  sumsOf,
} from "#test/fake/counting-projection.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import { type TestProjectors, testProjectors } from "#test/fake/projectors.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { systemClock } from "../runtime/clock.ts";
import { d1ReadStore } from "../storage/d1-read-store.ts";
import type { Projection } from "./projection.ts";

let test: TestDatabase;
const started: TestDatabase[] = [];
// A database for each test: the Actors of the one before still follow their log, and would go on in it.
beforeEach(async () => {
  test = await startD1Database("orders");
  started.push(test);
  await test.database.exec("CREATE TABLE numbers (n INTEGER PRIMARY KEY, sum INTEGER NOT NULL)");
  await test.database.exec("CREATE INDEX numbers_by_sum ON numbers (sum, n)");
});

afterAll(async () => {
  for (const database of started) await database.close();
});

const rows = async (table = "numbers") =>
  sumsIn((await test.database.prepare(`SELECT n, sum FROM ${table}`).all()).results);

const start = (projection: Projection, commits: number) => {
  const log = memoryEventLog();
  const store = d1ReadStore(test.database);
  const projectors = testProjectors({ projection, log, store });
  return { log, projectors, begun: appendCommits(log, commits) };
};

/** D1 answers in real time, whatever the virtual one says. */
const until = async ({ projection, time }: TestProjectors, done: () => Promise<boolean>) => {
  const end = systemClock() + 20_000;
  await projection.wake({});
  while (!(await done())) {
    if (systemClock() > end)
      throw new Error(`Waited in vain for 20 s: ${JSON.stringify(await projection.details({}))}`);
    await time.pass(100);
  }
};

const rebuilt = (projectors: TestProjectors) => async () =>
  (await projectors.projection.details({})).rebuild?.phase === "done";

const holds = (projectors: TestProjectors, position: number) => async () =>
  (await projectors.projection.wake({})).position === position;

describe("on D1", () => {
  it("shards apply each commit once, and are rebuilt together while the log grows", async () => {
    const sharded: Projection = { ...countingProjection, shards: 3 };
    const { log, projectors, begun } = start(sharded, 300);
    await begun;
    await until(projectors, holds(projectors, 300));
    expect(await rows()).toEqual(sumsOf(300, 1));
    const next = projectors.successor({ ...sharded, version: 2, changes: counting(2) });
    await next.projection.wake({});
    await appendCommits(log, 50);
    await until(next, rebuilt(next));
    await until(next, holds(next, 350));
    expect(await rows()).toEqual(sumsOf(350, 2));
  });

  it("readers see all rows that they ask for, and those of one version alone, during a whole rebuild", async () => {
    const { log, projectors, begun } = start(countingProjection, 2_000);
    await begun;
    await until(projectors, holds(projectors, 2_000));
    const next = projectors.successor({
      ...countingProjection,
      version: 2,
      changes: counting(2),
      former: { version: 1, changes: counting(1) },
    });
    const seen = new Set<number>();
    let done = false;
    const reading = (async () => {
      while (!done) {
        const { position = 0 } = await next.projection.wake({});
        const found = await test.database
          .prepare("SELECT COUNT(*) AS count, MIN(sum) AS least, MAX(sum) AS most FROM numbers")
          .first<{ count: number; least: number; most: number }>();
        expect(found?.count).toBeGreaterThanOrEqual(position);
        expect(found?.most).toBe(found?.least);
        seen.add(found?.most ?? 0);
      }
    })();
    for (let round = 0; round < 20; round++) {
      await appendCommits(log, 5);
      await next.time.pass(50);
    }
    await until(next, rebuilt(next));
    await until(next, holds(next, 2_100));
    done = true;
    await reading;
    expect([...seen].sort()).toEqual([1, 2]);
    expect(await rows()).toEqual(sumsOf(2_100, 2));
  });

  it("keeps the old tables where asked, and the indexes of the new ones", async () => {
    const { projectors, begun } = start(countingProjection, 10);
    await begun;
    await until(projectors, holds(projectors, 10));
    await projectors.projection.rebuild({ keep: true });
    await until(projectors, rebuilt(projectors));
    expect(await rows("numbers__old")).toEqual(sumsOf(10, 1));
    const { results } = await test.database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'numbers' AND sql IS NOT NULL",
      )
      .all();
    expect(results).toHaveLength(1);
    await projectors.projection.dropOld({});
    await expect(rows("numbers__old")).rejects.toThrow("no such table");
  });
});
