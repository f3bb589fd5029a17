/**
 * Which of equal requests is sent, in plain data: on Workers nobody may wait for a promise of another request, so that
 * who waits looks again after moments of its own, and not for long.
 */
import { LIMITS } from "#shared/limits.ts";
import { forwardClock } from "#shared/resilience/breaker-clock.ts";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";

export interface Coalescing {
  /** A lease: this request is the one that is sent. `"wait"`: another is. `"alone"`: nobody waits for anybody here. */
  join(key: string): Lease | "wait" | "alone";
  /** Until who was sent is back or its lease is over, or this request has waited long enough. Never rejects. */
  wait(key: string, signal: AbortSignal): Promise<void>;
  /** True for a while after an answer was for one request only. */
  isPassed(key: string): boolean;
  /** Keys known now. */
  size(): number;
}

export interface Lease {
  /**
   * To be said once: others can be answered by what came (`shared`), nobody else can (`passed`), or nothing came of it.
   * A lease that is over ends nothing.
   */
  end(outcome: "shared" | "passed" | "failed"): void;
}

/** No lease at all, for who goes alone. */
export const NO_LEASE: Lease = { end: () => undefined };

interface Entry {
  readonly passed: boolean;
  readonly until: number;
}

const FIRST_LOOK_MS = 2;

export const coalescing = (systemTime: Clock, sleep: Sleep): Coalescing => {
  const clock = forwardClock(systemTime);
  const entries = new Map<string, Entry>();

  const current = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (!entry || entry.until > clock()) return entry;
    entries.delete(key);
    return undefined;
  };

  /** False when there is no room for another key: as many requests as may be are under way. */
  const makeRoom = (): boolean => {
    if (entries.size < LIMITS.cacheLeases) return true;
    const now = clock();
    for (const [key, { passed, until }] of entries) {
      if (!passed && until > now) continue;
      entries.delete(key);
      return true;
    }
    return false;
  };

  const lease = (key: string): Lease => {
    const mine: Entry = { passed: false, until: clock() + LIMITS.cacheLeaseMs };
    entries.set(key, mine);
    return {
      end(outcome) {
        if (entries.get(key) !== mine) return;
        entries.delete(key);
        if (outcome === "passed") entries.set(key, { passed: true, until: clock() + LIMITS.cachePassMs });
      },
    };
  };

  return {
    join(key) {
      // The headers of the settings may make it long.
      if (key.length > 2 * LIMITS.cacheKeyCharacters) return "alone";
      const entry = current(key);
      if (entry) return entry.passed ? "alone" : "wait";
      return makeRoom() ? lease(key) : "alone";
    },
    async wait(key, signal) {
      const awaited = current(key);
      let lookMs = FIRST_LOOK_MS;
      for (let waitedMs = 0; waitedMs < LIMITS.cacheLeaseMs; waitedMs += lookMs) {
        lookMs = Math.min(LIMITS.cacheLookMs, lookMs * 2);
        const woken = await sleep(lookMs, signal).then(
          () => true,
          () => false,
        );
        const now = current(key);
        if (!woken || now === undefined || now !== awaited) return;
      }
    },
    isPassed: (key) => current(key)?.passed === true,
    size: () => entries.size,
  };
};
