/** A vitest reporter whose one line at the end says how many tests passed, failed and were skipped. */
import type { Reporter } from "vitest/node";

interface Counted {
  children: { allTests(): Iterable<{ result(): { state: string } }> };
  errors(): readonly unknown[];
}

/** @param unhandled errors outside of any test; each counts as a failure, as does a file that could not be loaded */
export const countTests = (modules: readonly Counted[], unhandled: number): string => {
  const counts = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed" || state === "failed") counts[state] += 1;
      else counts.skipped += 1;
    }
  }
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
};

export const closingLine = (): Reporter => ({
  onTestRunEnd: (modules, unhandled) => {
    // After the default reporter's own summary, so that it is the last line.
    process.once("exit", () => process.stdout.write(`\n${countTests(modules, unhandled.length)}\n`));
  },
});
