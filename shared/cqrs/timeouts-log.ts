/** Timeouts as an EventLog that brings each one when it is due: so they are followed, tried again and parked as any events. */
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import type { Timeouts } from "./timeouts.ts";

export interface TimeoutsLog extends EventLog {
  /** Looks again when the next one is due. */
  changed(): void;
}

export const timeoutsLog = ({
  timeouts,
  clock,
  sleep,
}: {
  timeouts: Timeouts;
  clock: Clock;
  sleep: Sleep;
}): TimeoutsLog => {
  const sleepers = new Set<AbortController>();

  const untilDue = async (signal: AbortSignal) => {
    const woken = new AbortController();
    sleepers.add(woken);
    const dueAt = timeouts.nextDue() ?? Number.POSITIVE_INFINITY;
    const pauseMs = Math.min(LIMITS.pumpMs, Math.max(0, dueAt - clock()));
    await sleep(pauseMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    sleepers.delete(woken);
  };

  return {
    changed() {
      for (const sleeper of sleepers) sleeper.abort();
    },
    async *tail({ after, batchMax, signal }): AsyncGenerator<readonly Commit[]> {
      timeouts.prune();
      let position = after;
      while (!signal.aborted) {
        timeouts.fire(clock(), LIMITS.timeoutsTogether);
        const commits = timeouts.fired(position, batchMax);
        const last = commits.at(-1);
        if (!last) {
          await untilDue(signal);
          continue;
        }
        position = last.position;
        yield commits;
      }
    },
    lastPosition: async () => timeouts.lastFired(),
    positionAt: async (atMs) => timeouts.firstFiredAt(atMs),
    append: () => noHistory("append to"),
    read: () => noHistory("read"),
    last: () => noHistory("read"),
  };
};

const noHistory = async (what: string): Promise<never> => {
  throw new Error(`Cannot ${what} the history of an aggregate here: timeouts have none`);
};
