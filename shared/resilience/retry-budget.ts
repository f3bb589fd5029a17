/** What retries and hedges are paid from: a share of the traffic, and a trickle for where there is little of it. */
import type { Clock } from "../runtime/clock.ts";

export interface RetryBudget {
  /** A first attempt is made. */
  earn(): void;
  /** Pays one more attempt, or refuses it. */
  take(): boolean;
  /** What was paid for did not happen. */
  giveBack(): void;
}

export type RetryBudgetPolicy = {
  /** Further attempts per first attempt. */
  ratio: number;
  /** Further attempts that time alone pays for. */
  perSecond: number;
  /** The most that is saved up, and what a new budget has. */
  cap: number;
};

/**
 * Never pays more than `ratio` × first attempts + `perSecond` × seconds + `cap`, whatever the clock does. Counted in
 * thousandths of an attempt, so that shares add up.
 */
export const retryBudget = (
  clock: Clock,
  { ratio = 0.2, perSecond = 1, cap = 10 }: Partial<RetryBudgetPolicy> = {},
): RetryBudget => {
  const earned = Math.round(ratio * ATTEMPT);
  const most = cap * ATTEMPT;
  let saved = most;
  let paidUntil = clock();

  return {
    earn() {
      saved = Math.min(most, saved + earned);
    },
    take() {
      const now = clock();
      // A clock that was set back pays nothing until it has caught up, or the same second would be paid twice.
      if (now > paidUntil) {
        saved = Math.min(most, saved + (now - paidUntil) * perSecond);
        paidUntil = now;
      }
      if (saved < ATTEMPT) return false;
      saved -= ATTEMPT;
      return true;
    },
    giveBack() {
      saved = Math.min(most, saved + ATTEMPT);
    },
  };
};

const ATTEMPT = 1_000;
