/** Sends messages: checked against what their owner declared, in the trace and with the metadata of what sends them. */
import type * as z from "zod";
import { assertMetadata, type CommitMetadata } from "../events/commit-metadata.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { type Clock, rfc3339 } from "../runtime/clock.ts";
import { injectTrace } from "../telemetry/propagation.ts";
import { inSpan, refuseSpan } from "../telemetry/span.ts";
import { decodeAnswer, encodeMessage } from "./message-envelope.ts";
import { messageFault } from "./message-fault.ts";
import type { Message, MessageTransport } from "./message-transport.ts";
import type { Request, Topic } from "./message-types.ts";
import { utf8Bytes } from "./utf8-bytes.ts";

export interface SendOptions {
  /** Of what sends it; `causedBy(about, about)` for what a received message asked for. */
  readonly metadata?: CommitMetadata;
}

export interface AskOptions extends SendOptions {
  /** What remains of the time of who asks, where it is less than the declared `timeoutMs`. */
  readonly remainingMs?: number;
}

/**
 * Publish and ask. What is not as declared is the sender's defect and thrown (`RangeError`) before anything is sent; all else
 * that goes wrong is a refusal.
 */
export interface Messaging {
  /** At most once, to who listens now. Refuses with `unavailable` or `body_too_large`. */
  publish<Data extends z.ZodType>(
    topic: Topic<Data>,
    data: z.input<Data>,
    options?: SendOptions,
  ): Promise<Result<void, Failure>>;
  /**
   * Refuses with what the answerer refuses with; `unavailable` when nobody answers, at once or when the time is over;
   * `answer_not_valid` when the answer is not as declared; `body_too_large`. Whether what was asked for has happened is not
   * known after a time that is over: what changes something is to be repeatable.
   */
  ask<Asked extends z.ZodType, Answer extends z.ZodType>(
    request: Request<Asked, Answer>,
    data: z.input<Asked>,
    options?: AskOptions,
  ): Promise<Result<z.output<Answer>, Failure>>;
}

export interface MessagingOptions {
  readonly transport: Pick<MessageTransport, "system" | "publish" | "request">;
  /** Who sends. */
  readonly service: string;
  readonly clock: Clock;
  /** Unique for ever. */
  readonly newId: () => string;
}

export const messaging = ({ transport, service, clock, newId }: MessagingOptions): Messaging => {
  const messageOf = (
    { address, version }: Topic | Request,
    checked: { schema: z.ZodType; data: unknown },
    metadata: CommitMetadata,
  ): Message => {
    const faults = checked.schema.safeParse(checked.data).error;
    if (faults) throw new RangeError(messageFault(`Cannot send "${address}"`, faults));
    assertMetadata(metadata);
    const id = newId();
    const time = rfc3339(clock());
    const body = encodeMessage(address, { id, source: service, time, version, data: checked.data });
    return { address, id, body, trace: {}, metadata };
  };

  return {
    publish(topic, data, { metadata = {} } = {}) {
      return sent(transport.system, "publish", topic.address, async (bytes) => {
        const message = messageOf(topic, { schema: topic.data, data }, metadata);
        const size = bytes(message);
        return size.ok ? transport.publish({ ...message, trace: injectTrace() }) : size;
      });
    },
    ask(request, data, { metadata = {}, remainingMs = Number.POSITIVE_INFINITY } = {}) {
      return sent(transport.system, "request", request.address, async (bytes) => {
        const { address, answer, timeoutMs } = request;
        const message = messageOf(request, { schema: request.request, data }, metadata);
        const size = bytes(message);
        if (!size.ok) return size;
        const deadlineMs = Math.floor(Math.min(timeoutMs, remainingMs));
        if (deadlineMs <= 0) return err(noTime(address));
        const answered = await transport.request(
          { ...message, trace: injectTrace(), deadlineMs },
          deadlineMs,
        );
        const decoded = answered.ok ? decodeAnswer(address, answered.value) : answered;
        if (!decoded.ok) return decoded;
        const checked = answer.safeParse(decoded.value);
        if (checked.success) return ok(checked.data);
        const detail = messageFault(`Reading the answer to "${address}"`, checked.error);
        return err({ code: "answer_not_valid", detail });
      });
    },
  };
};

type Operation = "publish" | "request";

const sent = <T>(
  system: string,
  operation: Operation,
  address: string,
  work: (bytes: (message: Message) => Result<void, Failure>) => Promise<Result<T, Failure>>,
): Promise<Result<T, Failure>> =>
  inSpan(
    `${operation} ${address}`,
    {
      kind: operation === "publish" ? "producer" : "client",
      attributes: {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": "send",
        "messaging.destination.name": address,
      },
    },
    async (span) => {
      const result = await work(({ id, body }) => {
        const size = utf8Bytes(body);
        span.setAttributes({ "messaging.message.id": id, "messaging.message.body.size": size });
        return size <= LIMITS.messageBytes ? ok(undefined) : err(tooLarge(address, size));
      });
      if (!result.ok) refuseSpan(span, result.error);
      return result;
    },
  );

const tooLarge = (address: string, bytes: number): Failure => ({
  code: "body_too_large",
  detail: `Sending "${address}" of ${bytes} bytes: expected at most ${LIMITS.messageBytes}.`,
});

const noTime = (address: string): Failure => ({
  code: "unavailable",
  detail: `Asking "${address}": no time was left for an answer.`,
});
