/** Holds what the line at the end of a test run counts. */
import { expect, test } from "vitest";
import { countTests } from "./closing-line.ts";

const file = (states: string[], errors: unknown[] = []) => ({
  children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
  errors: () => errors,
});

test("tests are counted over all files", () => {
  expect(countTests([file(["passed", "failed"]), file(["passed", "skipped"])], 0)).toBe(
    "2 passed, 1 failed, 1 skipped",
  );
});

test("a file that cannot be loaded and an error outside of a test are failures", () => {
  expect(countTests([file([], [new Error("no such module")])], 1)).toBe("0 passed, 2 failed, 0 skipped");
});

test("a test that did not come to run is skipped, not passed", () => {
  expect(countTests([file(["pending"])], 0)).toBe("0 passed, 0 failed, 1 skipped");
});
