/** Asks a system's `/readyz` until it says 200. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { CliFailure } from "./failure.ts";

export interface Waiting {
  readonly boundMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
}

const POLL_MS = 100;
const ANSWER_MS = 5_000;

/**
 * Asking is also what wakes the services' Actors.
 * @param url the gateway's address
 * @throws CliFailure with what was not ready, when the bound is over
 */
export const waitUntilReady = async (url: string, waiting: Waiting): Promise<void> => {
  const { boundMs, signal, clock = systemClock, sleep: pause = sleep } = waiting;
  const ask = waiting.fetch ?? fetch;
  const end = clock() + boundMs;
  let last = "nothing";
  while (clock() < end) {
    signal?.throwIfAborted();
    try {
      const answer = await ask(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const body = await answer.text();
      if (answer.status === 200) return;
      last = `${answer.status} ${body}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await pause(POLL_MS, signal);
  }
  throw new CliFailure(
    `the system did not become ready in ${boundMs / 1000} s; "${url}/readyz" last said: ${last}`,
  );
};
