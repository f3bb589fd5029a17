/** The calls by which a half-open breaker finds out: so many at most, each known by its permit, none waited for for ever. */
import type { BreakerSettings } from "./breaker-policy.ts";

export type Verdict = "pending" | "good" | "bad";

export interface Trial {
  readonly inFlight: () => number;
  readonly judged: () => number;
  /** False when as many calls as are permitted are under way or judged. */
  take(settings: BreakerSettings, permit: number, now: number): boolean;
  /** Judges the call of the permit. False when it is not under way here: told before, or given up. */
  settle(permit: number, outcome: { failed: boolean; slow: boolean } | "ignored"): boolean;
  /** Judges as slow what was not heard of for longer than slow calls and the open time last: its request may be gone. */
  giveUpLost(settings: BreakerSettings, now: number): void;
  /** Bad as soon as it cannot become good any more. */
  verdict(settings: BreakerSettings): Verdict;
}

export const breakerTrial = (): Trial => {
  const probes: { permit: number; since: number }[] = [];
  let judged = 0;
  let failures = 0;
  let slow = 0;
  const reaches = (count: number, rate: number, of: number) => count > 0 && count >= rate * of;
  return {
    inFlight: () => probes.length,
    judged: () => judged,
    take({ permittedHalfOpenCalls }, permit, now) {
      if (probes.length + judged >= permittedHalfOpenCalls) return false;
      probes.push({ permit, since: now });
      return true;
    },
    settle(permit, outcome) {
      const index = probes.findIndex((probe) => probe.permit === permit);
      if (index < 0) return false;
      probes.splice(index, 1);
      if (outcome === "ignored") return true;
      judged += 1;
      if (outcome.failed) failures += 1;
      if (outcome.slow) slow += 1;
      return true;
    },
    giveUpLost({ slowCallMs, openMs }, now) {
      const patienceMs = Math.max(slowCallMs, openMs);
      while (probes[0] !== undefined && now - probes[0].since > patienceMs) {
        probes.shift();
        judged += 1;
        slow += 1;
      }
    },
    verdict({ permittedHalfOpenCalls, failureRate, slowCallRate }) {
      const of = Math.max(permittedHalfOpenCalls, judged);
      if (reaches(failures, failureRate, of) || reaches(slow, slowCallRate, of)) return "bad";
      return judged >= permittedHalfOpenCalls ? "good" : "pending";
    },
  };
};
