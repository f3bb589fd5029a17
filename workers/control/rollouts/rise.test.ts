import { describe, expect, it } from "vitest";
import { FIVE_PERCENT, isRise } from "./rise.ts";

describe("a rise of failures", () => {
  type Sum = readonly [answers: number, failures: number];
  it.each<readonly [candidate: Sum, stable: Sum, allowed: number, expected: boolean, claim: string]>([
    [[40, 12], [400, 1], 0.05, true, "is seen when thirty percent fail instead of none"],
    [[19, 19], [400, 0], 0.05, false, "is not seen in fewer than twenty answers"],
    [[20, 20], [400, 0], 0.05, true, "is seen in twenty answers that all fail"],
    [[100, 5], [1_000, 10], 0.05, false, "is not one as long as it is within what is allowed"],
    [[20, 2], [400, 4], 0.05, true, "is seen as soon as it is no chance"],
    [[20, 2], [40, 1], 0.02, false, "is not seen where it may be chance"],
    [[40, 12], [40, 12], 0, false, "is none when both fail alike"],
    [[40, 40], [40, 40], 0, false, "is none when everything fails"],
    [[40, 12], [19, 19], 0.05, true, "is measured against none where the stable arm has too few answers"],
    [[40, 1], [0, 0], 0.01, false, "is not seen in one failure of forty when nothing else is known"],
    [[40, 0], [400, 100], 0.05, false, "is none when less fails"],
  ])("%j against %j with %d allowed: %s, it %s", (candidate, stable, allowed, expected) => {
    const sum = ([answers, failures]: Sum) => ({ answers, failures });
    const arms = { candidate: sum(candidate), stable: sum(stable) };
    expect(isRise(arms, { errorRateRise: allowed, deviations: FIVE_PERCENT })).toBe(expected);
  });
});
