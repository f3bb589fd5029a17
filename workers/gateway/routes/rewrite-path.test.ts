import { describe, expect, test } from "vitest";
import { rewritePath } from "./rewrite-path.ts";
import type { WrittenRoute } from "./route-schema.ts";
import { compileRoutes } from "./route-table.ts";

const rewritten = (path: string, rewrite: WrittenRoute["rewrite"], asked: string) => {
  const route = { match: { path: ["/never/:id/:x", path] }, to: { service: "s" }, rewrite };
  const found = compileRoutes({ route }, () => 0).find({
    method: "GET",
    path: asked,
    url: `http://x${asked}`,
    headers: new Headers(),
  });
  return found && rewritePath(found, asked);
};

describe("a template", () => {
  test.each([
    ["/old/:id", "/new/:id", "/old/7", "/new/7"],
    ["/:a/:b", "/:b/:a", "/1/2/", "/2/1"],
    ["/old/*", "/new/*", "/old/a/b/", "/new/a/b/"],
    ["/old/*", "/new/*", "/old", "/new"],
    ["/old/*", "/*", "/old", "/"],
    ["/old/*", "/fixed/", "/old/a", "/fixed/"],
    ["/old/:id/*", "/x/:id/*", "/old/a%2Fb%20/%zz//c", "/x/a%2Fb%20/%zz//c"],
    ["/old/:id", "/n%C3%A9w/é/:id", "/old/ü", "/n%C3%A9w/%C3%A9/%C3%BC"],
    ["/old/*", "/*", "/old//evil.example/", "/evil.example/"],
    ["/old/:id", "/:id", "/old/a?b", "/a%3Fb"],
  ])("%s to %s makes of %s %s", (path, template, asked, expected) => {
    expect(rewritten(path, template, asked)).toBe(expected);
  });
});

describe("a stripped prefix", () => {
  test.each([
    [1, "/api/v1/x", "/v1/x"],
    [2, "/api/v1/x/", "/x/"],
    [3, "/api/v1/x", "/"],
    [5, "/api", "/"],
    [1, "/api//evil.example", "/evil.example"],
  ])("of %d segments makes of %s %s", (stripPrefix, asked, expected) => {
    expect(rewritten("/*", { stripPrefix }, asked)).toBe(expected);
  });
});

test("without a rewrite the path is sent as it came", () => {
  expect(rewritten("/*", undefined, "//a/%zz/é/")).toBe("//a/%zz/é/");
});
