import { expect, test } from "vitest";
import { inTurns } from "./in-turns.ts";

const scripted = (name: string, rates: readonly number[], calls: string[]) => {
  const left = [...rates];
  return async (ms: number) => {
    calls.push(`${name} ${ms}`);
    return left.shift() ?? Number.NaN;
  };
};

test("each pair runs in the other order than the one before, after both have warmed up", async () => {
  const calls: string[] = [];
  const ours = scripted("ours", [0, 1, 1], calls);
  const bare = scripted("bare", [0, 1, 1], calls);
  await inTurns({ ours, bare, pairs: 2, sliceMs: 10, warmUpMs: 30 });
  expect(calls).toEqual(["bare 30", "ours 30", "ours 10", "bare 10", "bare 10", "ours 10"]);
});

test("the ratio is the median of the pairs' own, so that one disturbed pair does not move it", async () => {
  const ours = scripted("ours", [999, 80, 8, 800], []);
  const bare = scripted("bare", [999, 100, 100, 1000], []);
  const measured = await inTurns({ ours, bare, pairs: 3, sliceMs: 10, warmUpMs: 10 });
  expect(measured).toEqual({ ours: 80, bare: 100, ratio: 0.8 });
});
