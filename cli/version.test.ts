/** Holds how versions are read and compared. */
import { expect, test } from "vitest";
import { compareVersions, versionIn } from "./version.ts";

test.each([
  ["nats-server: v2.9.10", "2.9.10"],
  ["nats-server: v2.15.2-beta.1\n", "2.15.2"],
  ["2.9.10-1+b3", "2.9.10"],
  ["no version", null],
])("the version in %j is %j", (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test("versions compare by number, not by letter", () => {
  const sorted = ["2.15.0", "2.9.10", "2.9.9", "2.10.0"].sort(compareVersions);
  expect(sorted).toEqual(["2.9.9", "2.9.10", "2.10.0", "2.15.0"]);
});
