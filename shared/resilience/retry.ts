/** Tries again what failed, while it is safe, paid for, and able to end in time. */
import type { Result } from "../result.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { Deadline } from "./deadline.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** An answer of any status, or why there is none. */
export type Outcome<Refusal> = Result<Response, Refusal>;

/** @param n from 1. It ends as soon as `signal` aborts, as an `Upstream` does. */
export type Attempt<Refusal> = (n: number, signal: AbortSignal) => Promise<Outcome<Refusal>>;

export type RetryPolicy = {
  /** The first included. */
  attempts: number;
  /** Answers that are tried again. */
  statuses: readonly number[];
  /** The first pause is anything up to this, each further one up to twice the last. */
  backoffMs: number;
  backoffMaxMs: number;
};

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attempts: 3,
  statuses: [502, 503, 504],
  backoffMs: 25,
  backoffMaxMs: 1_000,
};

export type RetryOptions<Refusal> = {
  policy: RetryPolicy;
  /** Whether this request may be sent twice at all: see `maySendAgain` and `ReplayableBody`. */
  safe: boolean;
  /** Whether another attempt can help where no answer came. */
  curable: (refusal: Refusal) => boolean;
  /** Answers that are not tried again whatever their status; none when absent. */
  final?: (answer: Response) => boolean;
  /** Whether the next attempt goes to somebody else, for whom this one's `Retry-After` does not speak; no when absent. */
  elsewhere?: () => boolean;
  budget: RetryBudget;
  deadline: Deadline;
  /** How long an attempt takes as a rule: with less than that left none is begun. */
  expectedMs: number;
  clock: Clock;
  random: Random;
  sleep: Sleep;
};

/**
 * The first answer that need not be tried again, else the last outcome as it came. Bodies of answers that are tried
 * again are cancelled: an unread one holds its connection. A `Retry-After` beyond the deadline ends the trying.
 */
export const retrying = async <Refusal>(
  attempt: Attempt<Refusal>,
  options: RetryOptions<Refusal>,
): Promise<Outcome<Refusal> & { attempts: number }> => {
  const { policy, budget, deadline, sleep } = options;
  const attempts = options.safe ? policy.attempts : 1;
  budget.earn();
  for (let n = 1; ; n++) {
    const outcome = await attempt(n, deadline.signal);
    if (n >= attempts || !worthAnother(outcome, options)) return { ...outcome, attempts: n };
    const pauseMs = pauseAfter(outcome, n, options);
    const inTime = pauseMs + options.expectedMs < deadline.remainingMs();
    if (!inTime || !budget.take()) return { ...outcome, attempts: n };
    try {
      await sleep(pauseMs, deadline.signal);
    } catch {
      // The client has gone away, perhaps already during the attempt.
      budget.giveBack();
      return { ...outcome, attempts: n };
    }
    discard(outcome);
  }
};

const worthAnother = <Refusal>(
  outcome: Outcome<Refusal>,
  { policy, curable, final }: RetryOptions<Refusal>,
): boolean =>
  outcome.ok
    ? policy.statuses.includes(outcome.value.status) && !final?.(outcome.value)
    : curable(outcome.error);

/** Full jitter, on top of what the server wants: those who were sent away together must not come back together. */
const pauseAfter = <Refusal>(
  outcome: Outcome<Refusal>,
  n: number,
  { policy, random, clock, elsewhere }: RetryOptions<Refusal>,
): number => {
  const jitterMs = random() * Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** (n - 1));
  const asked = outcome.ok && !elsewhere?.();
  const wantedMs = asked ? retryAfterMs(outcome.value.headers, clock()) : undefined;
  return jitterMs + (wantedMs ?? 0);
};

/** Lets go of an answer that nobody will read. */
export const discard = <Refusal>(outcome: Outcome<Refusal>): void => {
  // What cannot be cancelled has failed already, or is being read by someone else.
  if (outcome.ok) outcome.value.body?.cancel().catch(() => undefined);
};
