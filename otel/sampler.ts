/** Which traces are recorded: every one at a quiet time, a bounded number a second under load. */
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
} from "@opentelemetry/sdk-trace";
import type { Clock } from "#shared/runtime/clock.ts";

export interface SamplerOptions {
  /** New traces a second, in the long run. */
  readonly perSecond?: number;
  /** New traces at once after a quiet time. */
  readonly burst?: number;
  readonly clock: Clock;
}

export interface RateLimitedSampler extends Sampler {
  /**
   * Whether a trace without a parent that begins at this path would be recorded: asked before a span is made, because making
   * one that nobody records costs more than asking. When it says yes, the root span that comes next is recorded.
   */
  startsTrace(path: string): boolean;
}

/**
 * Follows the parent's decision. Starts no trace for health probes and the monitor's own pages, and at most `perSecond`
 * others (token bucket of `burst`).
 * A trace is whole or absent: whoever is called by an unsampled parent records nothing either.
 */
export const rateLimitedSampler = ({
  perSecond = 20,
  burst = 50,
  clock,
}: SamplerOptions): RateLimitedSampler => {
  const takeToken = tokenBucket({ perSecond, burst, clock });
  let promised = false;
  const decide = (path: unknown): boolean => !isHousekeeping(path) && takeToken();
  const sampler = new ParentBasedSampler({
    root: {
      shouldSample(_context, _traceId, _name, _kind, attributes) {
        const recorded = promised || decide(attributes["url.path"]);
        promised = false;
        return recorded ? RECORD : SKIP;
      },
      toString: () => `RateLimited{${perSecond}/s, burst ${burst}}`,
    },
  });
  return {
    shouldSample: (...asked) => sampler.shouldSample(...asked),
    toString: () => sampler.toString(),
    startsTrace(path) {
      promised = decide(path);
      return promised;
    },
  };
};

/** What machines and open pages ask all the time would push everything else out of the picture. */
const HOUSEKEEPING = /^\/(?:healthz|readyz|monitor\/.*)$/;

const isHousekeeping = (path: unknown): boolean => typeof path === "string" && HOUSEKEEPING.test(path);

const RECORD: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const SKIP: SamplingResult = { decision: SamplingDecision.NOT_RECORD };

const tokenBucket = ({ perSecond, burst, clock }: Required<SamplerOptions>): (() => boolean) => {
  let tokens = burst;
  let filledAt: number | undefined;
  return () => {
    const now = clock();
    const elapsedMs = Math.max(0, now - (filledAt ?? now));
    tokens = Math.min(burst, tokens + (elapsedMs * perSecond) / 1000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};
