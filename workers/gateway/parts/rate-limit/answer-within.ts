/** A question whose answer is waited for only so long. */
import type { Timer } from "#shared/resilience/deadline-timer.ts";

/** What `ask` answers; undefined when it fails or takes longer. Never rejects. */
export const answerWithin = <T>(ask: () => Promise<T>, ms: number, timer: Timer): Promise<T | undefined> =>
  new Promise((resolve) => {
    const release = timer(ms, () => resolve(undefined));
    const settle = (answer: T | undefined) => {
      release();
      resolve(answer);
    };
    // Asked within a function of its own: what throws before there is a promise is no answer either.
    (async () => ask())().then(settle, () => settle(undefined));
  });
