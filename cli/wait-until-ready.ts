/** Asks a system's `/readyz` until it says 200. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { CliFailure } from "./failure.ts";

export interface Waiting {
  readonly boundMs: number;
  /** Checks that must be among those of the answer: a gateway is ready, too, that does not know of all services yet. */
  readonly expected?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
}

const POLL_MS = 100;
const ANSWER_MS = 5_000;

const namesIn = (body: string): readonly string[] => {
  try {
    return (JSON.parse(body) as { checks: readonly { name: string }[] }).checks.map(({ name }) => name);
  } catch {
    return [];
  }
};

/**
 * Asking is also what wakes the services' Actors.
 * @param url the gateway's address
 * @throws CliFailure with what was not ready, when the bound is over
 */
export const waitUntilReady = async (url: string, waiting: Waiting): Promise<void> => {
  const { boundMs, signal, expected = [], clock = systemClock, sleep: pause = sleep } = waiting;
  const ask = waiting.fetch ?? fetch;
  const end = clock() + boundMs;
  let last = "nothing";
  while (clock() < end) {
    signal?.throwIfAborted();
    try {
      const answer = await ask(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const body = await answer.text();
      const known = namesIn(body);
      const unknown = expected.filter((name) => !known.includes(name));
      if (answer.status === 200 && unknown.length === 0) return;
      last = `${answer.status} ${body}${unknown.length > 0 ? `, without ${unknown.join(", ")}` : ""}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await pause(POLL_MS, signal);
  }
  throw new CliFailure(
    `the system did not become ready in ${boundMs / 1000} s; "${url}/readyz" last said: ${last}`,
  );
};
