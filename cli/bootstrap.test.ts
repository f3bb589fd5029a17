/** Holds what decides whether Node and the dependencies are as they must be. */
import { describe, expect, test } from "vitest";
import { atLeast, dependenciesMatch, typeStrippingFlags } from "./bootstrap.mjs";

describe("the version of Node", () => {
  test.each([
    ["22.15.0", true],
    ["v22.15.1", true],
    ["24.0.0", true],
    ["22.15.0-nightly", true],
    ["22.9.0", false],
    ["20.20.2", false],
  ])("%s is new enough: %s", (version, enough) => {
    expect(atLeast(version, "22.15.0")).toBe(enough);
  });

  test.each([
    ["22.15.0", true],
    ["22.17.9", true],
    ["22.18.0", false],
    ["23.5.0", true],
    ["23.6.0", false],
    ["24.21.0", false],
  ])("%s needs a flag to run TypeScript: %s", (version, needed) => {
    expect(typeStrippingFlags(version).length > 0).toBe(needed);
  });
});

describe("the dependencies", () => {
  const lock = (packages: object) => JSON.stringify({ packages });
  const wanted = lock({
    "": { name: "skerry" },
    "node_modules/hono": { version: "4.13.19" },
    "node_modules/@esbuild/aix-ppc64": { version: "0.28.2", optional: true },
  });

  test("match when all are installed, save optional ones of other platforms", () => {
    expect(dependenciesMatch(wanted, lock({ "node_modules/hono": { version: "4.13.19" } }))).toBe(true);
  });

  test.each([
    ["nothing was installed, or an installation was interrupted", null],
    ["one is missing", lock({})],
    ["one has another version", lock({ "node_modules/hono": { version: "4.13.18" } })],
    [
      "an optional one has another version",
      lock({
        "node_modules/hono": { version: "4.13.19" },
        "node_modules/@esbuild/aix-ppc64": { version: "0.28.1" },
      }),
    ],
  ])("do not match when %s", (_, installed) => {
    expect(dependenciesMatch(wanted, installed)).toBe(false);
  });
});
