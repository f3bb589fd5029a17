/** Messages over core NATS: no stream keeps them, and a server that nobody listens on says so at once. */
import { type NatsConnection, NoRespondersError, RequestError, TimeoutError } from "@nats-io/nats-core";
import { trace } from "@opentelemetry/api";
import { bounded } from "#shared/control/bounded.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Message, MessageTransport } from "#shared/messaging/message-transport.ts";
import { nobodyAnswers, noConnection, tooBusy, tooLate } from "#shared/messaging/transport-refusals.ts";
import { ok } from "#shared/result.ts";
import { type Clock, type Sleep, sleep as systemSleep } from "#shared/runtime/clock.ts";
import type { NatsConnector } from "../connection.ts";
import { messageSubject } from "../subjects.ts";
import { messageHeaders } from "./message-headers.ts";
import { natsListening } from "./nats-listening.ts";

export interface NatsMessagesOptions {
  /** Its holder closes it, in a Durable Object nobody does. */
  readonly connector: Pick<NatsConnector, "get" | "standing">;
  readonly clock: Clock;
  readonly sleep?: Sleep;
}

export const natsMessages = ({
  connector,
  clock,
  sleep = systemSleep,
}: NatsMessagesOptions): MessageTransport => {
  let pending = 0;

  /** @throws when there is none within the time */
  const connected = async (ms: number): Promise<NatsConnection> =>
    connector.standing() ?? bounded({ ms, sleep }, () => connector.get());

  const asked = async (message: Message, timeoutMs: number): Promise<string> => {
    const until = clock() + timeoutMs;
    const connection = await connected(timeoutMs);
    const timeout = until - clock();
    if (timeout <= 0) throw new TimeoutError();
    const answer = await connection.request(messageSubject(message.address), message.body, {
      timeout,
      headers: messageHeaders({ ...message, deadlineMs: timeout }),
    });
    return answer.string();
  };

  return {
    system: "nats",
    async publish(message) {
      try {
        const connection = await connected(LIMITS.natsConnectMs);
        connection.publish(messageSubject(message.address), message.body, {
          headers: messageHeaders(message),
        });
        return ok(undefined);
      } catch (error) {
        return notSent(message, error);
      }
    },
    async request(message, timeoutMs) {
      if (pending >= LIMITS.messageRequestsPending) return tooBusy(message.address);
      pending++;
      try {
        return ok(await asked(message, timeoutMs));
      } catch (error) {
        if (isNobody(error)) return nobodyAnswers(message.address);
        return isTimeout(error) ? tooLate(message.address, timeoutMs) : notSent(message, error);
      } finally {
        pending--;
      }
    },
    listen: (listeners) => natsListening({ connector, clock, sleep, listeners }),
  };
};

/** The span alone has why: it names the server's inside. */
const notSent = ({ address }: Message, error: unknown) => {
  trace.getActiveSpan()?.recordException(error instanceof Error ? error : new Error(String(error)));
  return noConnection(address);
};

const isNobody = (error: unknown): boolean =>
  error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders());

/** The client library's own, or the bound of a connection. */
const isTimeout = (error: unknown): boolean =>
  error instanceof TimeoutError || (error instanceof DOMException && error.name === "TimeoutError");
