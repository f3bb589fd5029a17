/** Ties an isolate's breakers to those of all others: tells what they see, and hints at what others see. No I/O. */
import type { Clock } from "../../runtime/clock.ts";
import type { Breaker, BreakerTransition } from "../breaker.ts";
import { forwardClock } from "../breaker-clock.ts";
import type { BreakerName, BreakerNews, BreakerReport } from "./breaker-hint.ts";

export interface HintedBreakersOptions {
  /** The isolate's breaker of an instance, if it has one. */
  readonly find: (name: BreakerName) => Breaker | undefined;
  /** Takes a report to the control plane with the next look: `link.reportBreaker`. */
  readonly report: (report: BreakerReport) => void;
  readonly clock: Clock;
}

export interface HintedBreakers {
  /** To be called from the breaker's `onTransition`. */
  moved(name: BreakerName, transition: BreakerTransition): void;
  /** To be called with the news of each look: `link.onBreakerNews`. */
  heard(news: BreakerNews): void;
}

/** An answer that stays the same is told this seldom: within the time that the control plane believes it. */
const SAME_ANSWER_MS = 5_000;

export const hintedBreakers = ({ find, report, clock }: HintedBreakersOptions): HintedBreakers => {
  const now = forwardClock(clock);
  let hinted: readonly BreakerName[] = [];
  /** What was answered to whom is still asked for. */
  let answers = new Map<string, { readonly bad: boolean; readonly atMs: number }>();

  const answer = (name: BreakerName): void => {
    const seen = seenBy(find(name), name);
    const before = answers.get(keyOf(name));
    if (!seen) return;
    const bad = isBad(seen);
    if (before?.bad === bad && now() - before.atMs < SAME_ANSWER_MS) return;
    answers.set(keyOf(name), { bad, atMs: now() });
    report(seen);
  };

  return {
    moved(name, { to, because }) {
      if (to !== "open" && !(to === "closed" && because === "trial")) return;
      const { calls, bad } = evidenceOf(find(name));
      report({ ...name, state: to, calls, failures: bad });
    },
    heard({ hints, asked }) {
      const standing = new Set(hints.map(keyOf));
      for (const name of hinted) if (!standing.has(keyOf(name))) find(name)?.withdrawHint();
      for (const hint of hints) find(hint)?.hint(hint.id, hint.forMs);
      hinted = hints;
      const wanted = new Set(asked.map(keyOf));
      answers = new Map([...answers].filter(([key]) => wanted.has(key)));
      for (const name of asked) answer(name);
    },
  };
};

/** Whether who reports this says that the instance fails. */
export const isBad = ({ state, calls, failures }: Omit<BreakerReport, keyof BreakerName>): boolean =>
  state === "open" || (calls > 0 && failures >= BAD_SHARE * calls);

/** Of the calls of an isolate that has too few to open by. */
const BAD_SHARE = 0.5;

const keyOf = ({ service, instance }: BreakerName): string => `${service}/${instance}`;

/** Undefined for who has seen nothing lately, and where an operator holds the breaker open: that is nobody's evidence. */
const seenBy = (
  breaker: Breaker | undefined,
  { service, instance }: BreakerName,
): BreakerReport | undefined => {
  const state = breaker?.state();
  if (!state || (state.kind === "open" && state.remainingMs === Number.POSITIVE_INFINITY)) return undefined;
  const { calls, bad } = evidenceOf(breaker);
  const open = state.kind === "open" || (state.kind === "half_open" && !state.sampled);
  if (!open && calls === 0) return undefined;
  return { service, instance, state: open ? "open" : "closed", calls, failures: bad };
};

/** A slow call is as bad as a failed one. */
const evidenceOf = (breaker: Breaker | undefined): { calls: number; bad: number } => {
  const window = breaker?.metrics().window;
  return window ? { calls: window.calls, bad: Math.max(window.failures, window.slow) } : { calls: 0, bad: 0 };
};
