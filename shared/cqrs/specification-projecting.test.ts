import { expect, it } from "vitest";
import type { Projection } from "./projection.ts";
import type { RowChange } from "./row-change.ts";
import { projecting, timeOfEvent } from "./specification-projecting.ts";

const counted = (amount: number) => ({ type: "Counted", data: { id: "a", amount } });

const counting = (changes: Projection["changes"]): Pick<Projection, "tables" | "changes"> => ({
  tables: ["sums"],
  changes,
});
const eventsOf = (commits: Parameters<Projection["changes"]>[0]) =>
  commits.flatMap(({ events }) => events as readonly (ReturnType<typeof counted> & { time: string })[]);

const sums = counting((commits): RowChange[] => [
  {
    change: "add",
    table: "sums",
    key: ["id"],
    rows: [{ id: "a", sum: eventsOf(commits).reduce((sum, { data }) => sum + data.amount, 0) }],
  },
]);

it("what a projection shows is held to the rows", () => {
  const { given } = projecting(sums);
  given(counted(2), counted(3)).shows("sums", [{ id: "a", sum: 5 }]);
  expect(() => given(counted(2)).shows("sums", [{ id: "a", sum: 3 }])).toThrow();
  expect(() => given(counted(2)).shows("sums", [])).toThrow();
});

it("a projection that depends on how commits are batched is found out", () => {
  const lastOfEach = counting((commits) => [
    { change: "upsert", table: "sums", key: ["id"], rows: [{ id: "a", batch: commits.length }] },
  ]);
  expect(() =>
    projecting(lastOfEach)
      .given(counted(1), counted(2))
      .shows("sums", [{ id: "a", batch: 2 }]),
  ).toThrow("one commit after the other");
});

it("events happen a second after each other", () => {
  const times = counting((commits) => [
    {
      change: "insert",
      table: "sums",
      key: ["id"],
      rows: eventsOf(commits).map(({ time }) => ({ id: time })),
    },
  ]);
  projecting(times)
    .given(counted(1), counted(2))
    .shows("sums", [{ id: timeOfEvent(0) }, { id: "2026-01-01T00:00:01.000Z" }]);
});

it.each([
  ["names a row twice in one change", [{ id: "a" }, { id: "a" }], "is there twice"],
  ["has rows with other columns in one change", [{ id: "a" }, { id: "b", sum: 1 }], "of each"],
])("a projection that %s is refused", (_, rows, why) => {
  const wrong = counting(() => [{ change: "upsert", table: "sums", key: ["id"], rows }]);
  expect(() => projecting(wrong).given(counted(1))).toThrow(why);
});
