/** A second attempt beside one that is slow: the first good answer counts, the other is let go. */
import type { Deadline } from "./deadline.ts";
import type { Timer } from "./deadline-timer.ts";
import { type Attempt, discard, type Outcome } from "./retry.ts";
import type { RetryBudget } from "./retry-budget.ts";

export type HedgeOptions<Refusal> = {
  /** As long as all but the slowest take (`LatencyQuantile`); undefined when unknown: then there is no second. */
  afterMs: number | undefined;
  /** Whether this request may be sent twice at all: see `maySendAgain` and `ReplayableBody`. */
  safe: boolean;
  /** Whether the outcome ends the race; one that does not waits for the other's. */
  good: (outcome: Outcome<Refusal>) => boolean;
  /** Only taken from: what a first attempt adds, `retrying` adds. */
  budget: RetryBudget;
  deadline: Deadline;
  timer: Timer;
};

/** How many attempts were made, and whose outcome this is. */
export type Hedged<Refusal> = Outcome<Refusal> & { attempts: 1 | 2; winner: 1 | 2 };

/**
 * The first good outcome; where both are bad, an answer rather than none, and the first one's rather than the second's.
 * An attempt that throws is a bad one; where nothing else came of both, it throws.
 */
export const hedged = async <Refusal>(
  attempt: Attempt<Refusal>,
  { afterMs, safe, good, budget, deadline, timer }: HedgeOptions<Refusal>,
): Promise<Hedged<Refusal>> => {
  if (!safe || afterMs === undefined || afterMs >= deadline.remainingMs()) {
    return { ...(await attempt(1, deadline.signal)), attempts: 1, winner: 1 };
  }
  const first = racer(attempt, 1, deadline.signal);
  const slow = await slowerThan(first.outcome, afterMs, timer);
  if (!slow || deadline.signal.aborted || deadline.isOver() || !budget.take()) {
    return { ...(await first.outcome), attempts: 1, winner: 1 };
  }
  const second = racer(attempt, 2, deadline.signal);
  const { outcome, winner } = await firstGood(first, second, good);
  (winner === 1 ? second : first).leave();
  return { ...outcome, attempts: 2, winner };
};

type Racer<Refusal> = { outcome: Promise<Outcome<Refusal>>; leave(): void };

/** An attempt that can be given up by itself; it ends with the request in any case. */
const racer = <Refusal>(attempt: Attempt<Refusal>, n: 1 | 2, request: AbortSignal): Racer<Refusal> => {
  const own = new AbortController();
  const follow = () => own.abort(request.reason);
  if (request.aborted) follow();
  else request.addEventListener("abort", follow, { once: true });
  const outcome = (async () => attempt(n, own.signal))();
  return {
    outcome,
    leave() {
      request.removeEventListener("abort", follow);
      own.abort(new DOMException("Waiting for an answer: another attempt was faster.", "AbortError"));
      // It may have been answered already, or be answered in spite of the signal.
      outcome.then(discard, () => undefined);
    },
  };
};

const slowerThan = (work: Promise<unknown>, ms: number, timer: Timer): Promise<boolean> =>
  new Promise((resolve) => {
    const stop = timer(ms, () => resolve(true));
    const done = () => {
      stop();
      resolve(false);
    };
    work.then(done, done);
  });

type Finish<Refusal> = { outcome: Outcome<Refusal>; winner: 1 | 2 };

const firstGood = <Refusal>(
  first: Racer<Refusal>,
  second: Racer<Refusal>,
  good: (outcome: Outcome<Refusal>) => boolean,
): Promise<Finish<Refusal>> =>
  new Promise((resolve, reject) => {
    const bad: Finish<Refusal>[] = [];
    let running = 2;
    const lost = (error: unknown) => {
      if (--running > 0) return;
      const [best] = bad.sort((a, b) => Number(b.outcome.ok) - Number(a.outcome.ok) || a.winner - b.winner);
      if (best) resolve(best);
      else reject(error);
    };
    const watch = (one: Racer<Refusal>, winner: 1 | 2) =>
      one.outcome.then((outcome) => {
        if (good(outcome)) return resolve({ outcome, winner });
        bad.push({ outcome, winner });
        lost(undefined);
      }, lost);
    watch(first, 1);
    watch(second, 2);
  });
