import fc from "fast-check";
import { expect, test } from "vitest";
import {
  hasEscapedSlash,
  isHost,
  isSameForAll,
  requestPath,
  withoutEmptySegments,
  withPath,
} from "./request-path.ts";

const isSame = (path: string): boolean => {
  const url = `http://gateway:8787${path}`;
  return isSameForAll(requestPath(url), url);
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
  expect(isSame(path)).toBe(false);
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
  expect(isSame(path)).toBe(true);
});

test("what is no URL has no path", () => {
  expect(isSameForAll("/..", "/..")).toBe(false);
  expect(isSameForAll(requestPath("*"), "*")).toBe(false);
});

test("of any URL the path is what the URL standard takes for it, unless that would be another", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      const path = requestPath(url);
      if (isSameForAll(path, url)) expect(path).toBe(new URL(url).pathname);
      else expect(path).not.toBe(new URL(url).pathname);
    }),
  );
});

test("another path keeps everything else of the URL", () => {
  expect(withPath("http://gateway:8787/a/b?c=/d", "/x/y")).toBe("http://gateway:8787/x/y?c=/d");
  expect(withPath("https://gateway", "/x")).toBe("https://gateway/x");
  expect(withPath("https://gateway?a=1", "/x")).toBe("https://gateway/x?a=1");
});

test("a host that the runtime would put into a URL leaves the path what it is, or is none", () => {
  const hostile = fc.string({ unit: fc.constantFrom(..."aZ0.-_~:[]/?#@\\%, \t\u00fc"), maxLength: 12 });
  fc.assert(
    fc.property(hostile, (host) => {
      if (!isHost(host)) return;
      const url = `http://${host}/a/b?c`;
      expect([requestPath(url), new URL(url).pathname]).toEqual(["/a/b", "/a/b"]);
    }),
    { numRuns: 2_000 },
  );
  expect(isHost("Gateway.example:8787")).toBe(true);
  expect(isHost("gateway.example, other.example")).toBe(false);
  expect(isHost(null)).toBe(true);
});

test.each([
  ["/", "/"],
  ["//", "/"],
  ["//a///b//", "/a/b/"],
  ["/a/b/", "/a/b/"],
])("%s without empty segments is %s", (path, plain) => {
  expect(withoutEmptySegments(path)).toBe(plain);
});

test.each([
  ["/a%2Fb", true],
  ["/a%2fb", true],
  ["/%5c", true],
  ["/a%5Cb", true],
  ["/a%252Fb", false],
  ["/a%20b", false],
  ["/a%", false],
  ["/2F/5C", false],
])("%s has an escaped slash: %s", (path, has) => {
  expect(hasEscapedSlash(path)).toBe(has);
});
