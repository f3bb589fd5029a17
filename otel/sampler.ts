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

/**
 * Follows the parent's decision. Starts no trace for health probes and the monitor's own pages, and at most `perSecond`
 * others (token bucket of `burst`).
 * A trace is whole or absent: whoever is called by an unsampled parent records nothing either.
 */
export const rateLimitedSampler = ({ perSecond = 20, burst = 50, clock }: SamplerOptions): Sampler => {
  const takeToken = tokenBucket({ perSecond, burst, clock });
  return new ParentBasedSampler({
    root: {
      shouldSample: (_context, _traceId, _name, _kind, attributes) =>
        !isHousekeeping(attributes["url.path"]) && takeToken() ? RECORD : SKIP,
      toString: () => `RateLimited{${perSecond}/s, burst ${burst}}`,
    },
  });
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
