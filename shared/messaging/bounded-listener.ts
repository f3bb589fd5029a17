/** A listener that handles some messages at once, lets some more wait, and takes no others: what a slow one cannot do shows. */
import { semaphore } from "../cqrs/semaphore.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import { countMessage } from "./message-metrics.ts";
import type { ListenerState, Message, MessageListener } from "./message-transport.ts";

export interface BoundedListener {
  /** The answer to a request; nothing where nobody waits for one. Never rejects. */
  take(message: Message): Promise<string | undefined>;
  state(): ListenerState;
}

export const boundedListener = (listener: MessageListener, clock: Clock): BoundedListener => {
  const { address, group } = listener;
  const inTurn = semaphore(LIMITS.messageConcurrency);
  let pending = 0;
  let handled = 0;
  let dropped = 0;

  /** What waited for longer than its requester does is not begun. */
  const receive = async (message: Message, since: number): Promise<string | undefined> => {
    if (message.deadlineMs === undefined) return listener.receive(message);
    const deadlineMs = message.deadlineMs - (clock() - since);
    if (deadlineMs > 0) return listener.receive({ ...message, deadlineMs });
    countMessage(address, "expired");
    return undefined;
  };

  return {
    async take(message) {
      if (pending >= LIMITS.messagesPending) {
        dropped++;
        countMessage(address, "dropped");
        return listener.busy?.(message);
      }
      pending++;
      const since = clock();
      try {
        return await inTurn(() => receive(message, since));
      } finally {
        pending--;
        handled++;
      }
    },
    state: () => ({ address, ...(group !== undefined && { group }), pending, handled, dropped }),
  };
};
