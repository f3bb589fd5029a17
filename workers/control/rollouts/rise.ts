/** Whether a candidate fails more often than what stands: enough more, and not by chance. */
import { LIMITS } from "#shared/limits.ts";

export interface ArmSum {
  readonly answers: number;
  /** Those of status 5xx. */
  readonly failures: number;
}

/** One-sided, at five percent. */
export const FIVE_PERCENT = 1.64;
/** One-sided, at a tenth of a percent: many services are judged side by side, and one that fails by chance shall not decide. */
export const TENTH_OF_A_PERCENT = 3.09;

export interface RiseTest {
  /** How far the candidate's rate may be above the stable one's, 0 to 1. */
  readonly errorRateRise: number;
  /** So many standard deviations above it are held for no chance. */
  readonly deviations: number;
}

/**
 * True when the candidate has `LIMITS.rolloutAnswersMin` answers or more, its rate of failures is above the stable one's by more
 * than `errorRateRise`, and a one-sided two-proportion test holds that for no chance. A stable arm with too few answers
 * counts as one that never fails.
 */
export const isRise = (
  { candidate, stable }: { readonly candidate: ArmSum; readonly stable: ArmSum },
  { errorRateRise, deviations }: RiseTest,
): boolean => {
  if (candidate.answers < LIMITS.rolloutAnswersMin) return false;
  const known = stable.answers >= LIMITS.rolloutAnswersMin;
  const rise = rateOf(candidate) - (known ? rateOf(stable) : 0);
  if (rise <= errorRateRise) return false;
  const deviation = known ? pooledDeviation(candidate, stable) : ownDeviation(candidate);
  return deviation === 0 || rise / deviation > deviations;
};

export const rateOf = ({ answers, failures }: ArmSum): number => (answers === 0 ? 0 : failures / answers);

const pooledDeviation = (one: ArmSum, other: ArmSum): number => {
  const rate = (one.failures + other.failures) / (one.answers + other.answers);
  return Math.sqrt(rate * (1 - rate) * (1 / one.answers + 1 / other.answers));
};

const ownDeviation = (sum: ArmSum): number => Math.sqrt((rateOf(sum) * (1 - rateOf(sum))) / sum.answers);
