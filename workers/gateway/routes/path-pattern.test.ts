import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePathPattern } from "./path-pattern.ts";
import { rewritePath } from "./rewrite-path.ts";
import { compileRoutes } from "./route-table.ts";

describe("a pattern", () => {
  test.each([
    ["", "begins with /"],
    ["a", "begins with /"],
    ["/a b", "blank"],
    ["/a?b", "query"],
    ["/a\\b", "backslash"],
    ["/a\u0000", "blank"],
    ["/a//b", "empty segment"],
    ["//", "empty segment"],
    ["/a/../b", "dots"],
    ["/a/%2e", "dots"],
    ["/%zz", "percent-encoding"],
    ["/*/a", "at the end"],
    ["/a*", "at the end"],
    ["/:", "name"],
    ["/:1", "name"],
    ["/:a-b", "name"],
    ["/:a/:a", "another name"],
    ["/a".repeat(33), "32 segments"],
    [`/${"a".repeat(1_024)}`, "1024 characters"],
  ])("%j is refused, and said why", (text, why) => {
    const parsed = parsePathPattern(text);
    expect(parsed.ok ? "" : parsed.error).toContain(why);
  });
});

// What clients and operators may come up with: pieces that mean something somewhere, and anything at all.
const piece = fc.oneof(
  fc.constantFrom(
    "/",
    "//",
    "%",
    "%2",
    "%zz",
    "%2F",
    "%2e",
    "..",
    ".",
    ":",
    ":a",
    "*",
    "é",
    "%C3%A9",
    "%ff",
    "\\",
    "\t",
    "?",
    "#",
    "\ud800",
    "__proto__",
    ":constructor",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const anything = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);
const question = (path: string) => ({ method: "GET", path, url: "http://x/", headers: new Headers() });

describe("any pattern and any path", () => {
  test("are taken or refused, looked up and rewritten without a throw", () => {
    let taken = 0;
    fc.assert(
      fc.property(anything, anything, (pattern, path) => {
        if (!parsePathPattern(pattern).ok) return;
        taken++;
        const route = { match: { path: pattern }, rewrite: { stripPrefix: 1 }, to: { service: "s" } };
        const found = compileRoutes({ route }, () => 0).find(question(path));
        if (found) expect(rewritePath(found, path)).toMatch(/^\//);
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  test("a rewritten path stays what it is for whoever reads it as a URL, on the same host", () => {
    const rewrites = ["/in/:a/*", "/:a", "/*", { stripPrefix: 1 }, { stripPrefix: 2 }] as const;
    fc.assert(
      fc.property(anything, fc.constantFrom(...rewrites), (path, rewrite) => {
        const route = { match: { path: "/:a/*" }, rewrite, to: { service: "s" } };
        const found = compileRoutes({ route }, () => 0).find(question(path));
        if (!found) return;
        const rewritten = rewritePath(found, path);
        const url = new URL(rewritten, "http://upstream.example");
        expect(url.host).toBe("upstream.example");
        expect(url.pathname).toBe(rewritten);
        expect(url.search + url.hash).toBe("");
      }),
      { numRuns: 3_000 },
    );
  });

  test("a path as long as a request's head may be is looked up at once", () => {
    const route = { match: { path: "/a/:b/*" }, to: { service: "s" } };
    const table = compileRoutes({ route }, () => 0);
    for (const unit of ["/a", "/", "%2e", "/.a", "%", "é"]) {
      table.find(question(`/a${unit.repeat(50_000)}`));
      expect(table.visited()).toBeLessThan(10);
    }
  });
});
