/** Holds docs/reference/conformance.md to the titles of the tests; `UPDATE=1 npx vitest run test/rules` writes its tables anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { claimsOf, readSuites, STANDARDS, tablesOf } from "./conformance.ts";

const PAGE = join(ROOT, "docs/reference/conformance.md");
const HEADING = "## What is held";
const NEXT_HEADING = "\n## What is not";

const suites = readSuites();
const claims = suites.flatMap((suite) => suite.claims);

const withTables = (page: string): string => {
  const from = page.indexOf(HEADING) + HEADING.length;
  return `${page.slice(0, from)}\n\n${tablesOf(suites)}\n${page.slice(page.indexOf(NEXT_HEADING))}`;
};

describe("docs/reference/conformance.md", () => {
  test("lists what titles of tests claim of standards, and nothing else", () => {
    const page = readFileSync(PAGE, "utf8");
    const expected = withTables(page);
    if (process.env.UPDATE) writeFileSync(PAGE, expected);
    else expect(page).toBe(expected);
  });

  test("has a table for each standard, none of them empty", () => {
    const held = new Set(claims.map(({ standard }) => standard));
    expect(STANDARDS.map(([name]) => name).filter((name) => !held.has(name))).toEqual([]);
  });
});

describe("titles", () => {
  test("of every suite for conformance claim something of a standard", () => {
    const named = suites.filter(({ file }) => file.endsWith(".conformance.test.ts"));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((suite) => suite.claims.length === 0).map(({ file }) => file)).toEqual([]);
  });

  test("name sections by numbers, but for standards that number none", () => {
    const odd = claims.filter(
      ({ standard, section }) => standard !== "Fetch" && !/^\d+(\.\d+)*$/.test(section),
    );
    expect(odd).toEqual([]);
  });

  test("are read from each form in which tests write them", () => {
    const text = [
      `test("RFC 9111 §4: one \\"quoted\\"", () => {});`,
      `test.each([1])(\n  'RFC 9110 §13.1.2: two "%s", and %d',\n  () => {},\n);`,
      `test("RFC 9111: without a section", () => {});`,
      `const text = "RFC 9111 §5: no title";`,
    ].join("\n");
    expect(claimsOf("a.test.ts", text)).toEqual([
      { standard: "RFC 9111", section: "4", held: 'one "quoted"', file: "a.test.ts" },
      { standard: "RFC 9110", section: "13.1.2", held: 'two "…", and …', file: "a.test.ts" },
    ]);
  });
});
