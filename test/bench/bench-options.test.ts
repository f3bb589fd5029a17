import { expect, test } from "vitest";
import { benchOptions, MEASUREMENTS } from "./bench-options.ts";

test("without options everything is measured, at full length, and nothing is written", () => {
  expect(benchOptions([])).toEqual({ only: MEASUREMENTS, quick: false, json: undefined, help: false });
});

test("--only takes some, in the order in which they run", () => {
  expect(benchOptions(["--only", "order, gateway"]).only).toEqual(["gateway", "order"]);
});

test("events stands for all that is measured of the log, its commands and its read models", () => {
  expect(benchOptions(["--only", "events"]).only).toEqual([
    "append",
    "load",
    "commands",
    "catch-up",
    "read-stores",
    "emmett",
  ]);
});

test("an unknown measurement or option is refused by name", () => {
  expect(() => benchOptions(["--only", "gateway,speed"])).toThrow('"speed", expected some of gateway,append');
  expect(() => benchOptions(["--fast"])).toThrow("--fast");
});
