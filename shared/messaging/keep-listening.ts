/** Listens for as long as a process lives: on Node, Bun and Deno, where no alarm is needed. */
import { backoffMs } from "../cqrs/backoff.ts";
import type { Random, Sleep } from "../runtime/clock.ts";
import type { ListenerState, MessageListener, MessageTransport } from "./message-transport.ts";

export interface KeptListening {
  /** Whether it hears everything at the moment; what is sent while it does not is missed. */
  hears(): boolean;
  states(): readonly ListenerState[];
  /** Hears nothing more, and waits for nothing. */
  close(): void;
}

/** Starts at once; after a loss it begins again, with growing pauses up to five seconds. */
export const keepListening = ({
  transport,
  listeners,
  random,
  sleep,
}: {
  transport: Pick<MessageTransport, "listen">;
  listeners: readonly MessageListener[];
  random: Random;
  sleep: Sleep;
}): KeptListening => {
  const listening = transport.listen(listeners);
  const closed = new AbortController();
  let hears = false;

  const follow = async (): Promise<void> => {
    for (let failures = 0; !closed.signal.aborted; failures++) {
      const listens = () => {
        hears = true;
        failures = 0;
      };
      await listening.keep(closed.signal, listens).catch(() => undefined);
      hears = false;
      await sleep(backoffMs(failures + 1, random), closed.signal).catch(() => undefined);
    }
  };
  void follow();

  return {
    hears: () => hears,
    states: () => listening.states(),
    close() {
      closed.abort();
      listening.close();
      hears = false;
    },
  };
};
