/** Keeps calls from an upstream that fails or is slow, and finds out by a few of them when it is well again. */
import { LIMITS } from "../limits.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { forwardTime } from "./breaker-clock.ts";
import { type BreakerPolicy, breakerSettings, openFor } from "./breaker-policy.ts";
import { breakerTrial, type Trial } from "./breaker-trial.ts";
import { type BreakerWindow, breakerWindow } from "./breaker-window.ts";
import { hintedTrial } from "./hints/hinted-trial.ts";

/** A call that was let through, to be told of by `done` once; a number, so that a call costs no allocation. */
export type Permit = number & { readonly permit: "breaker" };

/** `ignored`: the call says nothing about the upstream, as when the client went away. */
export type BreakerOutcome = "success" | "failure" | "ignored";

export type BreakerState =
  | { readonly kind: "closed" }
  /** With 0 left, the next call is the first of a trial; `Infinity` is left while an operator forces it open. */
  | { readonly kind: "open"; readonly remainingMs: number }
  /** A sampled one was hinted at: a share of the calls goes through until they have shown whether the hint is true. */
  | {
      readonly kind: "half_open";
      readonly sampled: boolean;
      readonly inFlight: number;
      readonly judged: number;
    };

export type BreakerTransition = {
  readonly from: BreakerState["kind"];
  readonly to: BreakerState["kind"];
  readonly because: "failures" | "slow_calls" | "time" | "trial" | "hint" | "mode";
};

export type BreakerMetrics = {
  /** Since it was made. Calls are those that were judged; `refused` counts under `metrics_only` what `auto` would refuse. */
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
  readonly refused: number;
  readonly transitions: number;
  /** What the state is decided by. */
  readonly window: { readonly calls: number; readonly failures: number; readonly slow: number };
};

export interface Breaker {
  /** Undefined: refused. Whoever has a permit says `done`; one that never comes back holds up nothing. */
  enter(): Permit | undefined;
  /**
   * Of a call that began in an earlier state, or that was told before in a trial, nothing is counted.
   * @param atMs the time of the same clock, from who has just read it: reading it is most of what a call costs
   */
  done(permit: Permit, outcome: BreakerOutcome, tookMs: number, atMs?: number): void;
  /**
   * Others see the upstream fail: a closed breaker lets a sample of its calls through, opens at the first of them that fails,
   * and is closed again after a few that succeed. Opens nothing by itself, and is over after `forMs`.
   * @param id another one for another hint; one that was heard before changes nothing
   */
  hint(id: number, forMs: number): void;
  /** Others do not see it fail any more. */
  withdrawHint(): void;
  state(): BreakerState;
  metrics(): BreakerMetrics;
}

type Phase =
  | { kind: "closed" }
  | { kind: "open"; sinceMs: number; untilMs: number; draw: number }
  /** `untilMs`: when a hint is over. */
  | { kind: "half_open"; sampled: boolean; trial: Trial; untilMs: number };

const CLOSED: Phase = { kind: "closed" };
/** Of no state: nothing is counted of it. */
const UNCOUNTED = 0 as Permit;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * @param options.policy asked at every call: another object is another policy, from that call on
 * @param options.onTransition called after the breaker has moved, within the call that moved it
 */
export const breaker = ({
  policy,
  clock,
  random,
  onTransition,
}: {
  policy: () => BreakerPolicy;
  clock: Clock;
  random: Random;
  onTransition?: (transition: BreakerTransition) => void;
}): Breaker => {
  const passed = forwardTime(clock());
  const now = () => passed(clock());
  let adopted = policy();
  let settings = breakerSettings(adopted);
  let window: BreakerWindow = breakerWindow(settings.window);
  let phase: Phase = CLOSED;
  let issued = 1;
  let closedPermit = issued as Permit;
  let closedSinceMs = 0;
  let growths = 0;
  let heard: number | undefined;
  let hintedUntilMs = 0;
  const totals = { calls: 0, failures: 0, slow: 0, refused: 0, transitions: 0 };

  const move = (next: Phase, because: BreakerTransition["because"]): void => {
    const from = phase.kind;
    phase = next;
    if (from === next.kind) return;
    totals.transitions += 1;
    onTransition?.({ from, to: next.kind, because });
  };

  const close = (because: BreakerTransition["because"]): void => {
    if (phase.kind !== "half_open" || !phase.sampled) {
      window.clear();
      issued += 1;
      closedPermit = issued as Permit;
      closedSinceMs = now();
    }
    move(CLOSED, because);
  };

  const open = (because: BreakerTransition["because"]): void => {
    const sinceMs = now();
    const draw = random();
    issued += 1;
    closedPermit = issued as Permit;
    move({ kind: "open", sinceMs, untilMs: sinceMs + openFor(settings, growths, draw), draw }, because);
  };

  /** Openings that follow each other soon last as long as the last one; a good while in between takes growth back. */
  const openFromClosed = (because: BreakerTransition["because"]): void => {
    const recovered = Math.floor((now() - closedSinceMs) / settings.openMsMax);
    growths = Math.max(0, growths - recovered);
    open(because);
  };

  const adopt = (next: BreakerPolicy): void => {
    const before = settings;
    adopted = next;
    settings = breakerSettings(next);
    if (!sameWindow(before.window, settings.window)) window = breakerWindow(settings.window);
    if (before.mode !== settings.mode) {
      growths = 0;
      window.clear();
      if (phase.kind === "half_open") phase.sampled = false;
      close("mode");
    } else if (phase.kind === "open") {
      phase.untilMs = phase.sinceMs + openFor(settings, growths, phase.draw);
    }
  };

  const judge = (): void => {
    const { calls, failures, slow } = window.sums;
    if (calls < settings.minimumCalls) return;
    const failing = failures > 0 && failures >= settings.failureRate * calls;
    const slowing = slow > 0 && slow >= settings.slowCallRate * calls;
    if (!failing && !slowing) return;
    if (settings.mode === "auto" || settings.mode === "metrics_only")
      openFromClosed(failing ? "failures" : "slow_calls");
  };

  const judgeTrial = ({ trial, sampled }: Phase & { kind: "half_open" }): void => {
    const verdict = trial.verdict(settings);
    if (verdict === "pending") return;
    if (verdict === "good") close("trial");
    else if (sampled) openFromClosed("trial");
    else {
      const { openMs, openGrowth, openMsMax } = settings;
      if (openGrowth > 1 && openMs * openGrowth ** growths < openMsMax) growths += 1;
      open("trial");
    }
  };

  const refuse = (): Permit | undefined => {
    totals.refused += 1;
    return settings.mode === "metrics_only" ? UNCOUNTED : undefined;
  };

  /** While others see it fail, too, one failure is enough to go on refusing. */
  const trialAt = (at: number): Trial => (at < hintedUntilMs ? hintedTrial(random) : breakerTrial());

  const enterUnlessClosed = (): Permit | undefined => {
    if (settings.mode === "forced_open") return refuse();
    const at = now();
    if (phase.kind === "open" && at >= phase.untilMs)
      move({ kind: "half_open", sampled: false, trial: trialAt(at), untilMs: NEVER }, "time");
    if (phase.kind === "half_open" && at >= phase.untilMs) close("time");
    if (phase.kind === "half_open") {
      phase.trial.giveUpLost(settings, at);
      judgeTrial(phase);
    }
    if (phase.kind === "closed") return closedPermit;
    if (phase.kind === "open") return refuse();
    if (phase.trial.take(settings, issued + 1, at)) {
      issued += 1;
      return issued as Permit;
    }
    return refuse();
  };

  const count = (failed: boolean, slow: boolean): void => {
    totals.calls += 1;
    if (failed) totals.failures += 1;
    if (slow) totals.slow += 1;
  };

  const settle = (permit: Permit, outcome: BreakerOutcome, slow: boolean, atMs?: number): void => {
    if (phase.kind !== "half_open") return;
    const failed = outcome === "failure";
    if (!phase.trial.settle(permit, outcome === "ignored" ? outcome : { failed, slow })) return;
    if (outcome === "ignored") return;
    count(failed, slow);
    if (phase.sampled) window.record(passed(atMs ?? clock()), failed, slow);
    judgeTrial(phase);
  };

  return {
    enter() {
      const current = policy();
      if (current !== adopted) adopt(current);
      return phase === CLOSED && settings.mode !== "forced_open" ? closedPermit : enterUnlessClosed();
    },
    done(permit, outcome, tookMs, atMs) {
      const current = policy();
      if (current !== adopted) adopt(current);
      const slow = tookMs > settings.slowCallMs;
      if (permit !== closedPermit) return settle(permit, outcome, slow, atMs);
      if (outcome === "ignored" || settings.mode === "disabled") return;
      const failed = outcome === "failure";
      count(failed, slow);
      window.record(passed(atMs ?? clock()), failed, slow);
      judge();
    },
    hint(id, forMs) {
      const current = policy();
      if (current !== adopted) adopt(current);
      if (id === heard) return;
      heard = id;
      hintedUntilMs = now() + Math.min(forMs, LIMITS.breakerHintMs);
      if (phase.kind !== "closed" || (settings.mode !== "auto" && settings.mode !== "metrics_only")) return;
      move({ kind: "half_open", sampled: true, trial: hintedTrial(random), untilMs: hintedUntilMs }, "hint");
    },
    withdrawHint() {
      hintedUntilMs = 0;
      if (phase.kind === "half_open" && phase.sampled) close("hint");
    },
    state() {
      const current = policy();
      if (current !== adopted) adopt(current);
      if (settings.mode === "forced_open") return { kind: "open", remainingMs: Number.POSITIVE_INFINITY };
      switch (phase.kind) {
        case "closed":
          return { kind: "closed" };
        case "open":
          return { kind: "open", remainingMs: Math.max(0, phase.untilMs - now()) };
        case "half_open": {
          const { sampled, trial } = phase;
          return { kind: "half_open", sampled, inFlight: trial.inFlight(), judged: trial.judged() };
        }
      }
    },
    metrics() {
      window.look(now());
      return { ...totals, window: { ...window.sums } };
    },
  };
};

const sameWindow = (a: { kind: string }, b: { kind: string }): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
