/**
 * Holds a worker's connection for messages, and listens: what a worker's requests share lives in an Actor, because a socket
 * belongs to the request that opened it.
 */
import { pump } from "../cqrs/pump.ts";
import type { Failure } from "../http/errors.ts";
import type { Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { MessageHandler } from "./message-handlers.ts";
import type { ListenerState, Message, MessageListener, MessageTransport } from "./message-transport.ts";

export interface MessengerStatus {
  /** Whether it hears everything that it is to hear. */
  readonly listening: boolean;
  readonly listeners: readonly ListenerState[];
  /** Why it hears nothing at the moment. */
  readonly failure?: string;
}

export type MessengerMethods = {
  /** Starts listening, where there is something to listen to. */
  wake(input: Record<string, never>): Promise<MessengerStatus>;
  publish(message: Message): Promise<Result<void, Failure>>;
  request(input: { message: Message; timeoutMs: number }): Promise<Result<string, Failure>>;
};

/** Names of a service's messengers. What has no group is heard by the first alone: a service hears it once. */
export const messengerNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index}`);

export const messengerActor = ({
  context,
  service,
  transport,
  handlers,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  service: string;
  transport: MessageTransport;
  /** What the service listens to. */
  handlers: readonly MessageHandler[];
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<MessengerMethods> => {
  const [first] = messengerNames(1);
  const listeners = handlers
    .map((handler) => handler({ service, system: transport.system, clock, sleep }))
    .filter(({ group }) => group !== undefined || context.name === first)
    .map((listener) => telling(listener, context));
  const listening = transport.listen(listeners);
  let hears = false;
  /** It goes on between two slices, and as long as the Actor lives. */
  const following = pump({
    context,
    clock,
    random,
    sleep,
    work: async (signal, wentWell) => {
      try {
        await listening.keep(signal, () => {
          hears = true;
          wentWell();
        });
      } catch (error) {
        hears = false;
        throw error;
      }
    },
  });

  return {
    ...(listeners.length > 0 && { alarm: following.alarm }),
    methods: {
      async wake() {
        if (listeners.length > 0) await following.wake();
        const failure = following.lastFailure();
        return {
          listening: hears || listeners.length === 0,
          listeners: listening.states(),
          ...(failure !== undefined && { failure }),
        };
      },
      publish: (message) => transport.publish(message),
      request: ({ message, timeoutMs }) => transport.request(message, timeoutMs),
    },
  };
};

/** After each message what the Actor's calls do at their end happens: its spans leave. */
const telling = (listener: MessageListener, context: ActorContext): MessageListener => ({
  ...listener,
  async receive(message) {
    try {
      return await listener.receive(message);
    } finally {
      context.worked();
    }
  },
});
