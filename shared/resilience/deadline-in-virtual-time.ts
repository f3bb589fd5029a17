/** Deadlines whose time a test lets pass. */
import type { Clock, Sleep } from "../runtime/clock.ts";
import { type Deadline, deadlineFrom } from "./deadline.ts";
import type { Timer } from "./deadline-timer.ts";

type Time = { clock: Clock; sleep: Sleep };

export const timerOf =
  ({ sleep }: Time): Timer =>
  (ms, run) => {
    const stop = new AbortController();
    sleep(ms, stop.signal).then(run, () => undefined);
    return () => stop.abort();
  };

export const deadlineInVirtualTime = (
  time: Time,
  { ms, client = new AbortController().signal }: { ms: number; client?: AbortSignal },
): Deadline =>
  deadlineFrom(
    { headers: new Headers(), signal: client },
    { clock: time.clock, timer: timerOf(time), maximumMs: ms, defaultMs: ms },
  );
