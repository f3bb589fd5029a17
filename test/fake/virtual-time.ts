/** Time that passes only when a test lets it, so that pauses cost nothing and always end in the same order. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";

export interface VirtualTime {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Lets everything happen that is due now. */
  settle(): Promise<void>;
  /** Lets that much time pass, sleeper by sleeper. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until the condition holds. @throws Error when nothing waits any more or a day went by */
  until(condition: () => boolean): Promise<void>;
}

const DAY_MS = 86_400_000;

export const virtualTime = (startMs = Date.parse("2026-01-31T12:00:00.000Z")): VirtualTime => {
  let now = startMs;
  let sleepers: { at: number; wake: () => void }[] = [];

  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = {
        at: now + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        sleepers = sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });

  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  /** Wakes the next sleeper, should it be due by then. */
  const step = (untilMs: number): boolean => {
    const next = sleepers.reduce<(typeof sleepers)[number] | undefined>(
      (first, other) => (first && first.at <= other.at ? first : other),
      undefined,
    );
    if (!next || next.at > untilMs) return false;
    sleepers = sleepers.filter((other) => other !== next);
    now = Math.max(now, next.at);
    next.wake();
    return true;
  };

  const pass = async (ms: number) => {
    const end = now + ms;
    do await turn();
    while (step(end));
    now = end;
  };

  return {
    clock: () => now,
    sleep,
    settle: () => pass(0),
    pass,
    async until(condition) {
      const end = now + DAY_MS;
      for (;;) {
        await turn();
        if (condition()) return;
        if (!step(end)) throw new Error(`Waited in vain: nothing more happens for a day after ${startMs} ms`);
      }
    },
  };
};
