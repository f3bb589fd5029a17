/**
 * Refuses a share of calls by itself when the upstream does not accept them, so that an overloaded one can recover.
 * Client-side throttling: https://sre.google/sre-book/handling-overload/
 */
import type { Clock, Random } from "../runtime/clock.ts";
import { forwardClock } from "./breaker-clock.ts";
import { throttleWindow } from "./throttle-window.ts";

/** What is refused first is `low`, and last `high`. */
export type Priority = "low" | "normal" | "high";

/** Each field may be left out; its default is named beside it. */
export type ThrottlePolicy = {
  /** Calls per accepted one that are let through, above 1; for `low` half as much above 1, for `high` twice. Default: 2. */
  readonly factor?: number;
  /** Added to the calls that a refusal is reckoned from: a few failures at low traffic refuse little. Default: 8. */
  readonly padding?: number;
  /** What is counted, in seconds; more than calls may take. Default: 60. */
  readonly windowSeconds?: number;
  /** A call without an answer for as long counts as not accepted; at most half of the window. Default: 5,000. */
  readonly patienceMs?: number;
};

export type ThrottleMetrics = {
  /** Of the window: calls that were judged, the refused ones included, and those that were accepted. */
  readonly requests: number;
  readonly accepts: number;
  /** Since it was made. */
  readonly refused: number;
  /** The share of calls that is refused now. */
  readonly refusedShare: Readonly<Record<Priority, number>>;
};

/** A call that was let through, to be told of by `done` once. */
export type ThrottlePermit = number & { readonly permit: "throttle" };

export interface Throttle {
  /** Undefined: refused. */
  enter(priority: Priority): ThrottlePermit | undefined;
  /** @param outcome `ignored`: the call says nothing about the upstream, as when the client went away */
  done(permit: ThrottlePermit, outcome: "accepted" | "rejected" | "ignored"): void;
  metrics(): ThrottleMetrics;
}

const PRIORITIES = { low: 0.5, normal: 1, high: 2 } as const satisfies Record<Priority, number>;

/**
 * A call counts from its start, in the part of the window in which it began: one that hangs is noticed before it times
 * out, and one that is accepted late does not outlive its own start. Only the young ones without an answer are left out, or the
 * first calls of an isolate would refuse the next.
 * @param options.policy asked at every call; another window begins empty
 */
export const throttle = ({
  policy,
  clock,
  random,
}: {
  policy: () => ThrottlePolicy;
  clock: Clock;
  random: Random;
}): Throttle => {
  const now = forwardClock(clock);
  let adopted = policy();
  let window = throttleWindow(windowOf(adopted));
  let refused = 0;

  const look = (): void => {
    const current = policy();
    if (current !== adopted) {
      const before = windowOf(adopted);
      const next = windowOf(current);
      adopted = current;
      if (before.windowMs !== next.windowMs || before.patienceMs !== next.patienceMs)
        window = throttleWindow({ ...next, after: window });
    }
    window.look(now());
  };

  const refusedShare = (priority: Priority): number => {
    const { factor = 2, padding = 8 } = adopted;
    const perAccept = 1 + Math.max(0, factor - 1) * PRIORITIES[priority];
    const { requests, accepts } = window.sums;
    return Math.max(0, (requests - perAccept * accepts) / (requests + Math.max(1, padding)));
  };

  return {
    enter(priority) {
      look();
      const share = refusedShare(priority);
      if (share === 0 || random() >= share) return window.start() as ThrottlePermit;
      refused += 1;
      window.refuse();
      return undefined;
    },
    done(permit, outcome) {
      look();
      window.end(permit, outcome);
    },
    metrics() {
      look();
      const share = { low: refusedShare("low"), normal: refusedShare("normal"), high: refusedShare("high") };
      return { ...window.sums, refused, refusedShare: share };
    },
  };
};

const windowOf = ({ windowSeconds = 60, patienceMs = 5_000 }: ThrottlePolicy) => {
  const windowMs = Math.max(1, windowSeconds * 1_000);
  return { windowMs, patienceMs: Math.min(patienceMs, windowMs / 2) };
};
