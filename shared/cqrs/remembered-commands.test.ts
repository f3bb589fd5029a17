import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { LIMITS } from "../limits.ts";
import type { ActorSql } from "../runtime/actor.ts";
import { nodeSql } from "../runtime/node-sql.ts";
import { remember, rememberedCommandTable, rememberNone } from "./remembered-commands.ts";

const setUp = () => {
  const real = nodeSql(new DatabaseSync(":memory:"));
  const statements: string[] = [];
  const sql: ActorSql = {
    ...real,
    exec(statement, ...params) {
      statements.push(statement);
      return real.exec(statement, ...params);
    },
  };
  const time = virtualTime();
  return { table: rememberedCommandTable(sql, time.clock), real, statements, time };
};

/** Ids c0, c1, … of an aggregate, a millisecond apart; nothing is let go. */
const commandsOf = (count: number, at: number) => {
  const commands = rememberNone();
  for (let n = 0; n < count; n++) remember(commands, [`c${n}`, n + 1, at + n], { max: 0, since: 0 });
  return commands;
};

describe("what memory holds", () => {
  it("is the newest ids, and older ones only while they are young", () => {
    const commands = rememberNone();
    for (let n = 0; n < 10; n++) remember(commands, [`c${n}`, n, n], { max: 3, since: 5 });
    expect([...commands.newest.keys()]).toEqual(["c5", "c6", "c7", "c8", "c9"]);
    remember(commands, ["c10", 10, 10], { max: 3, since: 100 });
    expect([...commands.newest.keys()]).toEqual(["c8", "c9", "c10"]);
  });

  it("has an id that came again under its last position, as the newest", () => {
    const commands = commandsOf(2, 0);
    remember(commands, ["c0", 7, 7], { max: 2, since: 0 });
    expect([...commands.newest.values()]).toEqual([
      ["c1", 2, 1],
      ["c0", 7, 7],
    ]);
  });
});

describe("the table", () => {
  it("takes what is beyond the newest by one statement, and knows each id under its aggregate alone", () => {
    const { table, statements, time } = setUp();
    const commands = commandsOf(500, time.clock());
    statements.length = 0;
    table.spill("order/a", commands, 100);
    expect(statements.filter((statement) => statement.startsWith("INSERT"))).toHaveLength(1);
    expect(commands).toMatchObject({ spilledUntil: time.clock() + 399, newest: { size: 100 } });
    expect([table.find("order/a", "c0"), table.find("order/a", "c399")]).toEqual([1, 400]);
    expect([table.find("order/a", "c400"), table.find("order/b", "c0")]).toEqual([undefined, undefined]);
    expect(table.young("order/a", 1_000)).toHaveLength(400);
    table.forget("order/a");
    expect(table.young("order/a", 1_000)).toEqual([]);
  });

  it("writes nothing for ids that it has, as after each fold of the same history", () => {
    const { table, real, time } = setUp();
    const changes = () => real.exec<{ n: number }>("SELECT total_changes() AS n")[0]?.n;
    table.spill("order/a", commandsOf(500, time.clock()), 100);
    const before = changes();
    table.spill("order/a", commandsOf(500, time.clock()), 100);
    expect(changes()).toBe(before);
  });

  it("takes no id that is old enough to be forgotten, and forgets them by their events' time", async () => {
    const { table, real, time } = setUp();
    table.spill("order/a", commandsOf(3, time.clock() - LIMITS.commandIdMs - 2), 0);
    expect(table.young("order/a", 10)).toEqual([["c2", 3, time.clock() - LIMITS.commandIdMs]]);
    await time.pass(LIMITS.commandIdsSweepMs);
    expect(table.young("order/a", 10)).toEqual([]);
    table.spill("order/b", rememberNone(), 0);
    expect(real.exec("SELECT * FROM remembered_command")).toEqual([]);
  });

  it("that cannot be written leaves the ids in memory", () => {
    const { table, real, time } = setUp();
    const commands = commandsOf(5, time.clock());
    real.exec("DROP TABLE remembered_command");
    expect(() => table.spill("order/a", commands, 0)).toThrow();
    expect(commands).toMatchObject({ spilledUntil: 0, newest: { size: 5 } });
  });
});
