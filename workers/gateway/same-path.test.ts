import { expect, test } from "vitest";
import { hasSamePath } from "./same-path.ts";

test.each([
  "/catalog/v1/../../control/v1/tokens",
  "/control/v1/%2e%2e/%2E./internal/changes",
  "/control/v1/..\\..\\internal/changes",
  "/control/v1/.\t./.\t./internal/changes",
  "/monitor/..",
  "/monitor/./",
  "/monitor/.?x=1",
])("%j is another path by the URL standard", (path) => {
  expect(new URL(`http://gateway${path}`).pathname).not.toBe(path);
  expect(hasSamePath(`http://gateway${path}`)).toBe(false);
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
])("%j is the same for all", (path) => {
  expect(hasSamePath(`http://gateway:8787${path}`)).toBe(true);
});

test("what is no URL has no path", () => {
  expect(hasSamePath("/..")).toBe(false);
});
