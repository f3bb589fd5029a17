/** Sends messages through a service's messengers, from where no connection can be held: a request of a plain worker. */
import { bounded } from "../control/bounded.ts";
import { LIMITS } from "../limits.ts";
import { type Actors, ActorUnavailable } from "../runtime/actor.ts";
import type { Random, Sleep } from "../runtime/clock.ts";
import type { MessageTransport } from "./message-transport.ts";
import { type MessengerMethods, messengerNames } from "./messenger-actor.ts";
import { noConnection, tooLate } from "./transport-refusals.ts";

export interface MessengerTransportOptions {
  readonly messengers: Actors<MessengerMethods>;
  /** Messengers among which messages are spread. */
  readonly count: number;
  /** What they send over. */
  readonly system: string;
  readonly random: Random;
  readonly sleep: Sleep;
}

export const messengerTransport = ({
  messengers,
  count,
  system,
  random,
  sleep,
}: MessengerTransportOptions): Pick<MessageTransport, "system" | "publish" | "request"> => {
  const names = messengerNames(count);
  const any = (): MessengerMethods => messengers.named(names[Math.floor(random() * count)] ?? "0");

  return {
    system,
    async publish(message) {
      try {
        return await bounded({ ms: LIMITS.messagePublishMs, sleep }, () => any().publish(message));
      } catch (error) {
        if (isAway(error)) return noConnection(message.address);
        throw error;
      }
    },
    async request(message, timeoutMs) {
      try {
        return await bounded({ ms: timeoutMs, sleep }, () => any().request({ message, timeoutMs }));
      } catch (error) {
        if (error instanceof ActorUnavailable) return noConnection(message.address);
        if (isAway(error)) return tooLate(message.address, timeoutMs);
        throw error;
      }
    },
  };
};

const isAway = (error: unknown): boolean =>
  error instanceof ActorUnavailable || (error instanceof DOMException && error.name === "TimeoutError");
