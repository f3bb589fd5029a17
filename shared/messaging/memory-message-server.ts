/** Messages within one process, for unit tests: what core NATS promises, without a server. */

import { bounded } from "../control/bounded.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { ok, type Result } from "../result.ts";
import { type Clock, type Sleep, systemClock, sleep as systemSleep } from "../runtime/clock.ts";
import { type BoundedListener, boundedListener } from "./bounded-listener.ts";
import type { Message, MessageTransport } from "./message-transport.ts";
import { nobodyAnswers, tooBusy, tooLate } from "./transport-refusals.ts";

export interface MemoryMessageServer {
  /** As a process of its own. */
  connect(): MessageTransport;
}

export const memoryMessageServer = ({
  clock = systemClock,
  sleep = systemSleep,
}: {
  clock?: Clock;
  sleep?: Sleep;
} = {}): MemoryMessageServer => {
  const listening = new Set<BoundedListener>();
  let turn = 0;

  const of = (address: string): BoundedListener[] =>
    [...listening].filter((listener) => listener.state().address === address);

  /** All that have no group, and one of each group. */
  const receivers = (address: string): BoundedListener[] => {
    const groups = Map.groupBy(of(address), (listener) => listener.state().group);
    const single = groups.get(undefined) ?? [];
    groups.delete(undefined);
    turn++;
    return [...single, ...[...groups.values()].flatMap((group) => group[turn % group.length] ?? [])];
  };

  const connect = (): MessageTransport => {
    let pending = 0;
    return {
      system: "in_memory",
      async publish(message) {
        for (const listener of receivers(message.address)) void listener.take(structuredClone(message));
        return ok(undefined);
      },
      async request(message, timeoutMs): Promise<Result<string, Failure>> {
        if (pending >= LIMITS.messageRequestsPending) return tooBusy(message.address);
        const [answerer] = receivers(message.address);
        if (!answerer) return nobodyAnswers(message.address);
        pending++;
        try {
          return ok(await bounded({ ms: timeoutMs, sleep }, () => answered(answerer, message)));
        } catch {
          return tooLate(message.address, timeoutMs);
        } finally {
          pending--;
        }
      },
      listen(listeners) {
        const mine = listeners.map((listener) => boundedListener(listener, clock));
        return {
          async keep(signal, listens) {
            for (const listener of mine) listening.add(listener);
            listens();
            await new Promise<void>((resolve) => {
              if (signal.aborted) return resolve();
              signal.addEventListener("abort", () => resolve(), { once: true });
            });
          },
          states: () => mine.map((listener) => listener.state()),
          close() {
            for (const listener of mine) listening.delete(listener);
          },
        };
      },
    };
  };
  return { connect };
};

/** Who has no answer keeps the requester waiting. */
const answered = async (answerer: BoundedListener, message: Message): Promise<string> =>
  (await answerer.take(structuredClone(message))) ?? new Promise<never>(() => {});
