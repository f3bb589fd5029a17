/** Keeps work going inside an Actor for ever: in slices that an alarm starts, so that no crash ends it. */
import { LIMITS } from "../limits.ts";
import type { ActorContext } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import { backoffMs } from "./backoff.ts";

export interface Pump {
  /** Starts the work unless it is going on. */
  wake(): Promise<void>;
  /** What the Actor's alarm does: one slice. */
  alarm(): Promise<void>;
  /** Whether it is at work, or between two slices. */
  running(): boolean;
  /** Why the work failed last; undefined once it made progress, or went on for longer than what failed before it. */
  lastFailure(): string | undefined;
}

/** Should a slice die with its process, the alarm rings this much after the slice would have ended. */
const RESCUE_MS = 5_000;
/** The next slice begins this soon after the last one: until then nothing has stopped. */
const GAP_MS = 5_000;
/** Work that has nothing to do makes no progress: it is well when it has stood this much longer than any that failed. */
const STEADY_MS = 2_000;
/** What stood this long before it failed was at work; it says nothing of how long a failing attempt takes. */
const FAILING_MS_MAX = 20_000;

export const pump = ({
  context,
  work,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  /** Works until the signal aborts; calls `wentWell` for each piece of work that is done. May throw: it is started again, after a pause. */
  work: (signal: AbortSignal, wentWell: () => void) => Promise<void>;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): Pump => {
  const health = pumpHealth(clock);
  let running = false;
  let endedAt = Number.NEGATIVE_INFINITY;

  const untilAborted = async (signal: AbortSignal, wentWell: () => void) => {
    while (!signal.aborted) {
      health.begins();
      try {
        await work(signal, wentWell);
        health.ends();
      } catch (error) {
        const failures = health.fails(error);
        await sleep(backoffMs(failures, random), signal).catch(() => undefined);
      }
    }
  };

  const slice = async () => {
    const end = new AbortController();
    let steps = 0;
    const wentWell = () => {
      health.progresses();
      context.worked();
      if (++steps === LIMITS.pumpSteps) end.abort();
    };
    sleep(LIMITS.pumpMs, end.signal).then(
      () => end.abort(),
      () => undefined,
    );
    await untilAborted(end.signal, wentWell);
  };

  return {
    running: () => running || clock() - endedAt < GAP_MS,
    lastFailure: health.lastFailure,
    async wake() {
      if (!running) await context.alarm.set(clock());
    },
    async alarm() {
      if (running) return;
      running = true;
      try {
        await context.alarm.set(clock() + LIMITS.pumpMs + RESCUE_MS);
        await slice();
      } finally {
        running = false;
        endedAt = clock();
        await context.alarm.set(clock());
      }
    },
  };
};

/** Whether work that is started again and again is well: what fails slowly must not look as if it stood. */
const pumpHealth = (clock: Clock) => {
  let failures = 0;
  let lastFailure: string | undefined;
  /** Of the longest attempt that failed since the last progress. */
  let failingMs = 0;
  /** When the present attempt began; undefined during a pause. */
  let beganAt: number | undefined;

  const recoverIfSteady = () => {
    if (beganAt !== undefined && clock() - beganAt >= failingMs + STEADY_MS) lastFailure = undefined;
  };

  return {
    begins() {
      beganAt = clock();
    },
    ends() {
      recoverIfSteady();
      beganAt = undefined;
    },
    progresses() {
      failures = 0;
      failingMs = 0;
      lastFailure = undefined;
    },
    /** @returns how often it has failed since the last progress */
    fails(error: unknown): number {
      const tookMs = clock() - (beganAt ?? clock());
      if (tookMs < FAILING_MS_MAX) failingMs = Math.max(failingMs, tookMs);
      beganAt = undefined;
      lastFailure = error instanceof Error ? error.message : String(error);
      return ++failures;
    },
    lastFailure(): string | undefined {
      recoverIfSteady();
      return lastFailure;
    },
  };
};
