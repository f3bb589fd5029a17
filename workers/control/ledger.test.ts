import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { err, ok } from "#shared/result.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import { createLedger, markedLedger } from "./ledger.ts";

const setUp = (database = new DatabaseSync(":memory:")) => {
  const sql = nodeSql(database);
  const seen: string[] = [];
  let now = 1_000;
  const ledger = createLedger({
    sql,
    clock: () => now,
    beforeChange: async () => void seen.push("before"),
    afterChange: (epoch) => void seen.push(`after ${epoch - ledger.origin()}`),
  });
  sql.exec("CREATE TABLE IF NOT EXISTS things (name TEXT)");
  const add = (name: string) => void sql.exec("INSERT INTO things VALUES (?)", name);
  const things = () => sql.exec<{ name: string }>("SELECT name FROM things").map(({ name }) => name);
  return { database, ledger, seen, add, things, at: (ms: number) => (now = ms) };
};

describe("the ledger", () => {
  it("raises the epoch by one with each change, and tells when the epoch began", async () => {
    const { ledger, seen, at } = setUp();
    const first = ledger.epoch();
    at(2_000);
    expect(await ledger.change((epoch) => ok(epoch))).toEqual(ok(first + 1));
    expect(ledger.epoch()).toBe(first + 1);
    expect(ledger.changedAt()).toBe(2_000);
    expect(seen).toEqual(["before", "after 1"]);
  });

  it("leaves nothing of a refused change, the epoch neither", async () => {
    const { ledger, seen, add, things } = setUp();
    const first = ledger.epoch();
    const refused = await ledger.change(() => {
      add("half");
      return err("no");
    });
    expect(refused).toEqual(err("no"));
    expect(things()).toEqual([]);
    expect(ledger.epoch()).toBe(first);
    expect(seen).toEqual(["before"]);
  });

  it("leaves nothing of a change that throws, and throws on", async () => {
    const { ledger, add, things } = setUp();
    const first = ledger.epoch();
    const broken = ledger.change(() => {
      add("half");
      throw new Error("disk");
    });
    await expect(broken).rejects.toThrow("disk");
    expect(things()).toEqual([]);
    expect(ledger.epoch()).toBe(first);
  });

  it("changes nothing when what must come before cannot be done", async () => {
    const { database, add, things } = setUp();
    const ledger = createLedger({
      sql: nodeSql(database),
      clock: () => 1_000,
      beforeChange: () => Promise.reject(new Error("no alarm")),
      afterChange: () => undefined,
    });
    await expect(ledger.change(() => ok(add("never")))).rejects.toThrow("no alarm");
    expect(things()).toEqual([]);
  });

  it("goes on where it was after a restart", async () => {
    const { database, ledger } = setUp();
    await ledger.change(() => ok(undefined));
    const again = setUp(database).ledger;
    expect([again.epoch(), again.origin()]).toEqual([ledger.epoch(), ledger.origin()]);
  });

  it("begins above every epoch of a ledger that was lost", async () => {
    const lost = setUp().ledger;
    for (let n = 0; n < 100; n++) await lost.change(() => ok(undefined));
    const later = createLedger({
      sql: nodeSql(new DatabaseSync(":memory:")),
      clock: () => 2_000,
      beforeChange: async () => undefined,
      afterChange: () => undefined,
    });
    expect(later.origin()).toBeGreaterThan(lost.epoch());
  });

  it("marks the changes of one kind as soon as they are made, and no refused ones", async () => {
    const { database } = setUp();
    const seen: boolean[] = [];
    const ledger = createLedger({
      sql: nodeSql(database),
      clock: () => 1_000,
      beforeChange: async () => undefined,
      afterChange: (epoch) => void seen.push(marked.newestEpoch() === epoch),
    });
    const marked = markedLedger(ledger);
    await ledger.change(() => ok(undefined));
    await marked.change(() => ok(undefined));
    await marked.change(() => err("no"));
    expect(seen).toEqual([false, true]);
    expect(marked.newestEpoch()).toBe(ledger.epoch());
  });

  it("does not let the time of its changes go back with the clock", async () => {
    const { ledger, at } = setUp();
    at(5_000);
    await ledger.change(() => ok(undefined));
    at(3_000);
    await ledger.change(() => ok(undefined));
    expect(ledger.changedAt()).toBe(5_000);
  });
});
