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
  running(): boolean;
  /** Why the work failed last; undefined once it made progress, or went on for a while without failing again. */
  lastFailure(): string | undefined;
}

/** Should a slice die with its process, the alarm rings this much after the slice would have ended. */
const RESCUE_MS = 5_000;
/** Work that has nothing to do makes no progress; when it has stood this long it is well again. */
const STEADY_MS = 2_000;

export const pump = ({
  context,
  work,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  /** Works until the signal aborts; calls `wentWell` whenever it makes progress. May throw: it is started again, after a pause. */
  work: (signal: AbortSignal, wentWell: () => void) => Promise<void>;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): Pump => {
  let running = false;
  let failures = 0;
  let lastFailure: string | undefined;
  /** When the present attempt began; undefined during a pause. */
  let workingSince: number | undefined;

  const wentWell = () => {
    failures = 0;
    lastFailure = undefined;
    context.worked();
  };

  const untilAborted = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        workingSince = clock();
        await work(signal, wentWell);
      } catch (error) {
        workingSince = undefined;
        failures++;
        lastFailure = error instanceof Error ? error.message : String(error);
        await sleep(backoffMs(failures, random), signal).catch(() => undefined);
      }
    }
  };

  return {
    running: () => running,
    lastFailure() {
      if (workingSince !== undefined && clock() - workingSince >= STEADY_MS) lastFailure = undefined;
      return lastFailure;
    },
    async wake() {
      if (!running) await context.alarm.set(clock());
    },
    async alarm() {
      if (running) return;
      running = true;
      const end = new AbortController();
      try {
        await context.alarm.set(clock() + LIMITS.pumpMs + RESCUE_MS);
        void sleep(LIMITS.pumpMs).then(() => end.abort());
        await untilAborted(end.signal);
      } finally {
        running = false;
        workingSince = undefined;
        await context.alarm.set(clock());
      }
    },
  };
};
