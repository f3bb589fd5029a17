import { expect, test } from "vitest";
import { ok } from "../result.ts";
import { assessReadiness } from "./readiness.ts";

test("a check that never answers is not ready once its time is over, and holds up no other", async () => {
  const waits: number[] = [];
  const readiness = await assessReadiness(
    "things",
    [
      { name: "log", check: () => new Promise(() => undefined) },
      { name: "rows", check: async () => ok(1) },
    ],
    {
      wait: async (ms) => {
        waits.push(ms);
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      },
    },
  );
  expect(readiness.checks).toEqual([
    { name: "log", ready: false, detail: "no answer within 1500 ms" },
    { name: "rows", ready: true },
  ]);
  expect(waits).toEqual([1_500, 1_500]);
});

test("the timer of a check that answered is stopped", async () => {
  let stopped = false;
  await assessReadiness("things", [{ name: "rows", check: async () => ok(1) }], {
    wait: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          stopped = true;
          reject(signal.reason);
        });
      }),
  });
  expect(stopped).toBe(true);
});
