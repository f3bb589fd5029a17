import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoffMs", () => {
  it("doubles from 100 ms up to 5 s, however many attempts failed", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 100, 1e9].map((failures) => backoffMs(failures, () => 1));
    expect(longest).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it("comes to the longest pause, however small the first one was", () => {
    const slow = { firstMs: 1, mostMs: 60 * 60 * 1000 };
    expect([21, 23, 1_000, 1e9].map((failures) => backoffMs(failures, () => 1, slow))).toEqual([
      2 ** 20,
      slow.mostMs,
      slow.mostMs,
      slow.mostMs,
    ]);
  });

  it("spreads over the upper half, so that those who failed together do not come back together", () => {
    expect([0, 0.5, 0.999].map((random) => backoffMs(3, () => random))).toEqual([200, 300, 400]);
  });
});
