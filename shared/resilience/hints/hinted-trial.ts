/** The calls by which a hinted breaker finds out: a sample of the traffic, because the hint may be wrong, or right. */
import type { Random } from "../../runtime/clock.ts";
import { breakerTrial, type Trial } from "../breaker-trial.ts";

/** Chosen by the simulation: docs/reference/breaker-hints.md. */
export const HINTED = {
  /** Share of the calls that go through before the first success; each success brings it nearer to all. */
  share: 0.1,
  /** A call goes through all the same when none did for so long: who has few calls must find out, too. */
  everyMs: 1_000,
} as const;

/**
 * As many successes in a row as a trial has calls are good; the first failure is bad, since others have seen more of them.
 * Never more calls under way than those that are still missing.
 */
export const hintedTrial = (random: Random): Trial => {
  const trial = breakerTrial();
  let tookMs = Number.NEGATIVE_INFINITY;
  return {
    ...trial,
    take(settings, permit, now) {
      const share = HINTED.share + ((1 - HINTED.share) * trial.judged()) / settings.permittedHalfOpenCalls;
      if (now - tookMs < HINTED.everyMs && random() >= share) return false;
      if (!trial.take(settings, permit, now)) return false;
      tookMs = now;
      return true;
    },
    verdict: (settings) =>
      trial.verdict({ ...settings, failureRate: settings.failureRate > 1 ? settings.failureRate : FIRST }),
  };
};

/** A rate that one failure reaches. */
const FIRST = Number.MIN_VALUE;
