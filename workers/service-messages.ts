/** Ties a worker to the messages of other services: what it sends goes through its messengers, which also listen. */
import { v7 as uuidv7 } from "uuid";
import { type NatsConnectorOptions, natsConnector } from "#nats/connection.ts";
import { natsMessages } from "#nats/messaging/nats-messages.ts";
import type { ReadinessCheck } from "#shared/http/readiness.ts";
import type { MessageHandler } from "#shared/messaging/message-handlers.ts";
import { type Messaging, messaging } from "#shared/messaging/messaging.ts";
import {
  type MessengerMethods,
  type MessengerStatus,
  messengerActor,
  messengerNames,
} from "#shared/messaging/messenger-actor.ts";
import { messengerTransport } from "#shared/messaging/messenger-transport.ts";
import { err, ok } from "#shared/result.ts";
import type { ActorContext, ActorLogic } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { durableActors } from "#shared/runtime/durable-actor.ts";

const SYSTEM = "nats";

/** The binding of a service that sends or hears messages; its class is made with {@link messagesOverNats}. */
export interface MessagesEnv {
  MESSENGERS?: DurableObjectNamespace;
}

export interface ServiceMessages {
  /** For requests and Actors of the worker. @throws Error when it sends and `MESSENGERS` is not bound */
  readonly messaging: Messaging;
  /** Asking also starts the messengers. None where the worker has no messengers. */
  readonly checks: readonly ReadinessCheck[];
}

/** @param count messengers of the service, each with a connection of its own */
const messagesOf = (service: string, { MESSENGERS }: MessagesEnv, count: number): ServiceMessages => {
  const messengers = {
    named(name: string): MessengerMethods {
      if (MESSENGERS) return durableActors<MessengerMethods>(MESSENGERS).named(name);
      throw new Error(`Cannot send a message of "${service}": expected MESSENGERS to be bound`);
    },
  };
  const transport = messengerTransport({ messengers, count, system: SYSTEM, random: Math.random, sleep });
  return {
    messaging: messaging({ transport, service, clock: systemClock, newId: () => uuidv7() }),
    checks: (MESSENGERS ? messengerNames(count) : []).map((name) => ({
      name: `messages ${name}`,
      check: async () => checked(await messengers.named(name).wake({})),
    })),
  };
};

const checked = ({ listening, listeners, failure }: MessengerStatus) => {
  if (!listening) return err({ detail: failure ?? "not started yet" });
  const dropped = listeners.filter((listener) => listener.dropped > 0);
  // No reason to be not ready: others who listen in the same group drop as many.
  const detail = dropped.map((listener) => `${listener.dropped} of ${listener.address} not taken`).join(", ");
  return ok(detail === "" ? {} : { detail });
};

/** What the Durable Object bound as `MESSENGERS` hosts. */
const messengerLogic = (
  context: ActorContext,
  {
    service,
    handlers,
    ...access
  }: { service: string; handlers: readonly MessageHandler[] } & Pick<
    NatsConnectorOptions,
    "url" | "user" | "creds" | "ca" | "open"
  >,
): ActorLogic<MessengerMethods> =>
  messengerActor({
    context,
    service,
    handlers,
    transport: natsMessages({
      connector: natsConnector({
        ...access,
        name: `${service} messenger ${context.name}`,
        clock: systemClock,
      }),
      clock: systemClock,
    }),
    clock: systemClock,
    random: Math.random,
    sleep,
  });

/** What a service declares as `messages.over`. */
export const messagesOverNats = { messagesOf, messengerLogic };
export type MessagesOverNats = typeof messagesOverNats;
