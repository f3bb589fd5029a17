import { expect, it } from "vitest";
import { demoOptions } from "./demo-options.ts";

it("has a default for everything", () => {
  expect(demoOptions([])).toEqual({
    url: "http://localhost:8787",
    seed: 1,
    count: 200,
    concurrency: 8,
    run: undefined,
    orders: undefined,
    json: false,
    help: false,
  });
});

it("cuts the slash from the end of the address", () => {
  expect(demoOptions(["--url", "https://shop.example/a/"]).url).toBe("https://shop.example/a");
});

it.each([
  [["--count", "many"], '"many", expected a whole number from 1'],
  [["--count", "0"], '"0", expected a whole number from 1'],
  [["--concurrency", "1000"], "expected a whole number from 1 to 256"],
  [["--seed=-1"], '"-1", expected a whole number from 0'],
  [["--url", "localhost:8787"], '"localhost:8787", expected an http://'],
  [["--colour"], "--colour"],
  [["orders.csv"], "orders.csv"],
])("refuses %j in one line", (args, message) => {
  expect(() => demoOptions(args)).toThrow(message);
});
