/** What a breaker goes by: plain data that may change at any time, and the defaults for what it leaves out. */
import { LIMITS } from "../limits.ts";

/**
 * - `auto`: by what is counted.
 * - `forced_open`: refuses every call. `forced_closed`: lets every call through and goes on counting.
 * - `disabled`: lets every call through and counts nothing.
 * - `metrics_only`: lets every call through; states and refusals are those that `auto` would have had.
 */
export type BreakerMode = "auto" | "forced_open" | "forced_closed" | "disabled" | "metrics_only";

/** Each field may be left out; its default is named beside it. */
export type BreakerPolicy = {
  /** What is judged: the last `calls`, or those of the last `seconds`. Default: 10 seconds. */
  readonly window?:
    | { readonly kind: "count"; readonly calls: number }
    | { readonly kind: "time"; readonly seconds: number };
  /** Share of failures that opens, above 0; above 1 never does. Default: 0.5. */
  readonly failureRate?: number;
  /** Share of slow calls that opens, above 0; above 1 never does. Default: 1. */
  readonly slowCallRate?: number;
  /** A call that takes longer is slow, whatever its outcome. Default: 10,000. */
  readonly slowCallMs?: number;
  /** Fewer calls in the window are not judged; at most the calls of a count window. Default: 20. */
  readonly minimumCalls?: number;
  /** Calls that a half-open breaker lets through, and judges. Default: 3. */
  readonly permittedHalfOpenCalls?: number;
  /** How long the first opening lasts. Default: 5,000. */
  readonly openMs?: number;
  /** The longest that an opening lasts; each such time spent closed takes one growth back. Default: 60,000. */
  readonly openMsMax?: number;
  /** Factor of the open time after each failed trial, at least 1. Default: 2. */
  readonly openGrowth?: number;
  /** Share from 0 to 1 by which an open time is shortened at most, at random: isolates must not try together. Default: 0.2. */
  readonly jitter?: number;
  /** Default: `auto`. A change of mode begins anew: closed, nothing counted. */
  readonly mode?: BreakerMode;
};

/** A policy with its defaults, within its bounds. */
export type BreakerSettings = Required<BreakerPolicy>;

export const breakerSettings = (policy: BreakerPolicy): BreakerSettings => {
  const window = windowWithin(policy.window ?? { kind: "time", seconds: 10 });
  const minimumCalls = Math.max(1, policy.minimumCalls ?? 20);
  const openMs = Math.max(1, policy.openMs ?? 5_000);
  return {
    window,
    failureRate: policy.failureRate ?? 0.5,
    slowCallRate: policy.slowCallRate ?? 1,
    slowCallMs: policy.slowCallMs ?? 10_000,
    minimumCalls: window.kind === "count" ? Math.min(minimumCalls, window.calls) : minimumCalls,
    permittedHalfOpenCalls: within(policy.permittedHalfOpenCalls ?? 3, LIMITS.breakerTrialCalls),
    openMs,
    openMsMax: Math.max(openMs, policy.openMsMax ?? 60_000),
    openGrowth: Math.max(1, policy.openGrowth ?? 2),
    jitter: Math.min(1, Math.max(0, policy.jitter ?? 0.2)),
    mode: policy.mode ?? "auto",
  };
};

/**
 * Milliseconds of the opening after `growths` failed trials.
 * @param draw from 0 up to but not 1, of this opening
 */
export const openFor = (
  { openMs, openMsMax, openGrowth, jitter }: BreakerSettings,
  growths: number,
  draw: number,
) => Math.min(openMsMax, openMs * openGrowth ** growths) * (1 - jitter * draw);

const windowWithin = (window: BreakerSettings["window"]): BreakerSettings["window"] =>
  window.kind === "count"
    ? { kind: "count", calls: within(window.calls, LIMITS.breakerWindowCalls) }
    : { kind: "time", seconds: Math.max(0.001, window.seconds) };

const within = (value: number, most: number): number => Math.max(1, Math.min(most, Math.floor(value)));
