import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { nodeSql } from "../runtime/node-sql.ts";
import { snapshotTable } from "./snapshot-table.ts";

const newSql = () => nodeSql(new DatabaseSync(":memory:"));
const held = (table: ReturnType<typeof snapshotTable>, keys: string) =>
  [...keys].filter((key) => table.get(key) !== undefined).join("");

it("gives back the last snapshot of each aggregate, also to whoever comes after", () => {
  const sql = newSql();
  const table = snapshotTable(sql);
  for (const [key, text] of [
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
  ] as const)
    table.put(key, text);
  expect([table.get("a"), table.get("b"), table.get("c")]).toEqual(["3", "2", undefined]);
  table.drop("a");
  expect(held(snapshotTable(sql), "ab")).toBe("b");
});

it("lets the ones written longest ago go when there are too many, one that was replaced counts once", () => {
  const sql = newSql();
  const table = snapshotTable(sql, { snapshotsKept: 3 });
  for (const key of "abca") table.put(key, "x");
  expect(held(table, "abc")).toBe("abc");
  table.put("d", "x");
  expect(held(table, "abcd")).toBe("acd");
  snapshotTable(sql, { snapshotsKept: 2 }).put("e", "x");
  expect(held(table, "acde")).toBe("de");
});

it("lets as many go as the bytes of a newer one need, counted as UTF-8", () => {
  const table = snapshotTable(newSql(), { snapshotsKeptBytes: 10 });
  for (const key of "abcd") table.put(key, "xx");
  table.put("e", "äöü");
  expect(held(table, "abcde")).toBe("cde");
});

it("does not keep one that is too large, and leaves the former", () => {
  const table = snapshotTable(newSql(), { snapshotBytes: 4 });
  expect([table.put("a", "four"), table.put("a", "fiver")]).toEqual([true, false]);
  expect(table.get("a")).toBe("four");
});
