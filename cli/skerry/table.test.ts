/** Holds that tables are columns, fit their terminal, and carry nothing of a text's into it. */
import { expect, test } from "vitest";
import { table, tableStyle } from "./table.ts";

const HEADER = ["service", "where"];
const ROWS = [
  ["orders", "binding ORDERS"],
  ["a-service-of-long-name", "http://10.0.0.7:8080"],
];

test("columns are as wide as their longest text, without spaces at the ends of lines", () => {
  expect(table(HEADER, ROWS)).toBe(
    "service                 where\norders                  binding ORDERS\na-service-of-long-name  http://10.0.0.7:8080\n",
  );
});

test.each([80, 40, 30, 20])("no line is longer than a terminal of %i characters", (columns) => {
  const lines = table(HEADER, ROWS, { columns }).trimEnd().split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  if (columns < 44) expect(lines[2]).toContain("…");
});

test("a text with lines of its own stays one row, and its control characters stay out", () => {
  expect(table(["reason"], [["one\n two\u001b[31mred"]])).toBe("reason\none two\ufffd[31mred\n");
});

test("colour goes to a terminal only, and only when NO_COLOR does not stand there", () => {
  const terminal = { write: () => true, isTTY: true, columns: 80 };
  expect(table(["a"], [], tableStyle(terminal, {}))).toBe("\u001b[1ma\u001b[0m\n");
  expect(table(["a"], [], tableStyle(terminal, { NO_COLOR: "1" }))).toBe("a\n");
  expect(table(["a"], [], tableStyle({ write: () => true }, {}))).toBe("a\n");
});
