/**
 * Tries again, during one slice, what waits: a lane for each key, each with the pauses of its own first event. All end when the
 * signal aborts, but for what is being tried then.
 */
import type { Clock, Sleep } from "../runtime/clock.ts";
import type { WaitingEvents, WaitingHead } from "./subscription-waiting.ts";

export interface WaitingLanes {
  /** Begins with a key's first, unless that is done already. */
  start(key: string): void;
}

export const waitingLanes = ({
  waiting,
  again,
  failed,
  signal,
  clock,
  sleep,
}: {
  waiting: WaitingEvents;
  /** Tries a key's first once more. */
  again: (key: string, head: WaitingHead) => Promise<void>;
  /** Told what was thrown; it has to abort the signal. */
  failed: (thrown: unknown) => void;
  signal: AbortSignal;
  clock: Clock;
  sleep: Sleep;
}): WaitingLanes => {
  const lanes = new Set<string>();

  const run = async (key: string) => {
    for (let head = waiting.head(key); head; head = waiting.head(key)) {
      signal.throwIfAborted();
      const pauseMs = head.notBefore - clock();
      if (pauseMs > 0) await sleep(pauseMs, signal);
      else await again(key, head);
    }
  };
  const start = (key: string) => {
    if (signal.aborted || lanes.has(key)) return;
    lanes.add(key);
    void run(key)
      .catch(failed)
      .then(() => {
        lanes.delete(key);
        // Another may have come when this lane had just found nothing more.
        if (waiting.has(key)) start(key);
      });
  };
  for (const key of waiting.keys()) start(key);

  return { start };
};
