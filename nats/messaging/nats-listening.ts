/** Subscriptions that move to each newer connection of their connector before they leave the older one. */
import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { bounded } from "#shared/control/bounded.ts";
import { recentMap } from "#shared/identity/recent-map.ts";
import { LIMITS } from "#shared/limits.ts";
import { type BoundedListener, boundedListener } from "#shared/messaging/bounded-listener.ts";
import type { Listening, MessageListener } from "#shared/messaging/message-transport.ts";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { NatsConnector } from "../connection.ts";
import { messageSubject } from "../subjects.ts";
import { answerHeaders, messageOf } from "./message-headers.ts";

/** What is subscribed on one connection. */
interface Subscribed {
  readonly connection: NatsConnection;
  readonly subscriptions: readonly Subscription[];
  /** Aborts, with why, when nothing comes any more. */
  readonly ended: AbortSignal;
}

export const natsListening = ({
  connector,
  clock,
  sleep,
  listeners,
}: {
  connector: Pick<NatsConnector, "get">;
  clock: Clock;
  sleep: Sleep;
  listeners: readonly MessageListener[];
}): Listening => {
  const bounds = listeners.map((listener) => boundedListener(listener, clock));
  /** While both connections are subscribed, what has no group comes over each of them. */
  const came = bounds.map(() => recentMap<true>(LIMITS.messagesRemembered));
  let current: Subscribed | undefined;

  const take = async (index: number, listener: BoundedListener, received: Msg): Promise<void> => {
    const message = messageOf(listener.state().address, received);
    if (message.id !== "" && came[index]?.get(message.id)) return;
    came[index]?.set(message.id, true);
    const answer = await listener.take(message);
    // Who asked is told nothing where the connection is gone: its time ends.
    if (answer !== undefined) received.respond(answer, { headers: answerHeaders() });
  };

  const subscribe = async (connection: NatsConnection): Promise<Subscribed> => {
    const end = new AbortController();
    const subscriptions = bounds.map((listener, index) => {
      const { address, group } = listener.state();
      return connection.subscribe(messageSubject(address), {
        ...(group !== undefined && { queue: group }),
        callback: (error, message) => {
          if (error) end.abort(error);
          else void take(index, listener, message).catch(() => undefined);
        },
      });
    });
    void connection.closed().then(() => end.abort(new Error("The connection to NATS was lost")));
    const subscribed = { connection, subscriptions, ended: end.signal };
    try {
      // Once the server answers it has taken the subscriptions, or refused them.
      await bounded({ ms: LIMITS.natsConnectMs, sleep }, () => connection.flush());
      end.signal.throwIfAborted();
      return subscribed;
    } catch (error) {
      leave(subscribed);
      throw error;
    }
  };

  const leave = (subscribed: Subscribed | undefined): void => {
    for (const subscription of subscribed?.subscriptions ?? [])
      void subscription.drain().catch(() => undefined);
  };

  /** @throws when nothing can be heard at the moment */
  const follow = async (): Promise<{ ended: AbortSignal; moved: boolean }> => {
    if (current?.ended.aborted) {
      const { reason } = current.ended;
      leave(current);
      current = undefined;
      throw reason;
    }
    const connection = await connector.get();
    if (current?.connection === connection) return { ended: current.ended, moved: false };
    const before = current;
    current = await subscribe(connection);
    leave(before);
    return { ended: current.ended, moved: true };
  };

  return {
    async keep(signal, listens) {
      while (!signal.aborted) {
        const { ended, moved } = await follow();
        if (moved) listens();
        await sleep(LIMITS.messageLookMs, AbortSignal.any([signal, ended])).catch(() => undefined);
      }
    },
    states: () => bounds.map((listener) => listener.state()),
    close() {
      leave(current);
      current = undefined;
    },
  };
};
