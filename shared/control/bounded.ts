/** Gives work a time: when it is over, the work's signal is aborted and nobody waits for it any longer. */
import type { Sleep } from "../runtime/clock.ts";

/** Rejects after `ms`, whether or not the work heeds its signal. */
export const bounded = async <T>(
  { ms, sleep }: { ms: number; sleep: Sleep },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const timeOver = new AbortController();
  const settled = new AbortController();
  const tooLate = sleep(ms, settled.signal).then(() => {
    timeOver.abort(new DOMException(`It took longer than ${ms} ms`, "TimeoutError"));
    throw timeOver.signal.reason;
  });
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([work(timeOver.signal), tooLate]);
  } finally {
    settled.abort();
  }
};
