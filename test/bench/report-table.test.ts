import { expect, test } from "vitest";
import { reportTable } from "./report-table.ts";

const machine = {
  at: "2026-01-01T00:00:00Z",
  machine: "2 cores",
  versions: { node: "24.0.0", workerd: "1", miniflare: "5", nats: "2.15.2" },
};

const rowOf = (table: string, name: string) => table.split("\n").find((line) => line.startsWith(name));

test("an aim stands beside its figure, and the verdict goes by the ratio where there is one", () => {
  const table = reportTable(
    [
      { name: "fast enough", unit: "x/s", ours: 850, bare: 1_000, ratio: 0.85, aim: 0.8 },
      { name: "too slow", unit: "x/s", ours: 12_345, aim: 20_000 },
      { name: "only told", unit: "x/s", ours: 5 },
      { name: "soon enough", unit: "ms", ours: 470, atMost: 1_000 },
      { name: "too late", unit: "ms", ours: 3_001, atMost: 3_000 },
      { name: "kept", unit: "x/s", ours: 7, durability: "synced before the answer" },
    ],
    machine,
  );
  expect(rowOf(table, "fast enough")).toMatch(/850 +1,000 +0\.85 +0\.80 +reached$/);
  expect(rowOf(table, "too slow")).toMatch(/12,345 +20,000 +not reached$/);
  expect(rowOf(table, "only told")).toMatch(/ 5$/);
  expect(rowOf(table, "soon enough")).toMatch(/470 +≤ 1,000 +reached$/);
  expect(rowOf(table, "too late")).toMatch(/3,001 +≤ 3,000 +not reached$/);
  expect(rowOf(table, "kept")).toMatch(/ 7 +synced before the answer$/);
});

test("the machine and the versions stand under the figures", () => {
  const table = reportTable([], machine);
  expect(table).toContain("2 cores");
  expect(table).toContain("nats 2.15.2");
});
