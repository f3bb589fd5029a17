import { getPath } from "hono/utils/url";
import { expect, test } from "vitest";
import { hasSamePath } from "./same-path.ts";

const asked = (path: string) => {
  const url = `http://gateway:8787${path}`;
  return { path: getPath({ url } as Request), url };
};

test.each([
  "/catalog/v1/../../control/v1/tokens",
  "/control/v1/%2e%2e/%2E./internal/changes",
  "/control/v1/%2e%2E/%ff",
  "/control/v1/..\\..\\internal/changes",
  "/control/v1/.\t./.\t./internal/changes",
  "/monitor/..",
  "/monitor/./",
  "/monitor/.?x=1",
  "/monitor/..#x",
])("%j is another path by the URL standard", (path) => {
  expect(new URL(`http://gateway${path}`).pathname).not.toBe(path.split(/[?#]/, 1)[0]);
  expect(hasSamePath(asked(path))).toBe(false);
});

test.each([
  "/",
  "/catalog/v1/products/a",
  "/catalog/v1/.well-known/x",
  "/catalog/v1/...",
  "/catalog/v1/a..b/..c",
  "/catalog/v1/x?path=/a/../b\\c",
  "/catalog/v1/..%2f..%2finternal",
  "/catalog/v1/%5c..",
  "/catalog/v1/%252e%252e/x",
])("%j is the same for all", (path) => {
  expect(hasSamePath(asked(path))).toBe(true);
});

test("what is no URL has no path", () => {
  expect(hasSamePath({ path: "/..", url: "/.." })).toBe(false);
});
