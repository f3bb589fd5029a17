/** Receives messages: what is not as declared never reaches a handler, and nothing that a handler throws leaves it. */
import type { Span } from "@opentelemetry/api";
import type * as z from "zod";
import { bounded } from "../control/bounded.ts";
import type { CommitMetadata } from "../events/commit-metadata.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, type Result } from "../result.ts";
import { type Clock, rfc3339, type Sleep } from "../runtime/clock.ts";
import { withTrace } from "../telemetry/propagation.ts";
import { failSpan, inSpan, refuseSpan } from "../telemetry/span.ts";
import { decodeMessage, type Envelope, encodeAnswer, encodeRefusal } from "./message-envelope.ts";
import { messageFault } from "./message-fault.ts";
import { countMessage } from "./message-metrics.ts";
import type { Message, MessageListener } from "./message-transport.ts";
import type { Request, Topic } from "./message-types.ts";
import { tooBusy } from "./transport-refusals.ts";
import { utf8Bytes } from "./utf8-bytes.ts";

/** What a handler is told beside the data. */
export interface MessageAbout {
  readonly id: string;
  /** The service that says it sent it: only the server's permissions hold that it did. */
  readonly source: string;
  /** RFC 3339 UTC. */
  readonly time: string;
  readonly metadata: CommitMetadata;
  /** Aborts when nobody waits for the handler any more. */
  readonly signal: AbortSignal;
  /** For what the handler asks of others. */
  remainingMs(): number;
}

/** Who handles a declared message; made into a listener where time and the service's name are known. */
export type MessageHandler = (parts: HandlerParts) => MessageListener;

export interface HandlerParts {
  /** Who answers. */
  readonly service: string;
  /** `messaging.system` of the spans. */
  readonly system: string;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

type Handled = Result<unknown, Failure>;

/**
 * Hears a topic. What the handler refuses or throws is a span's error and a count, for nobody waits for it.
 * @param options.group of all listeners of one group only one gets each message; absent: each gets it
 */
export const hear =
  <Data extends z.ZodType>(
    topic: Topic<Data>,
    handle: (data: z.output<Data>, about: MessageAbout) => Promise<Result<unknown, Failure>>,
    { group }: { group?: string } = {},
  ): MessageHandler =>
  (parts) => ({
    address: topic.address,
    ...(group !== undefined && { group }),
    async receive(message) {
      await received("consumer", message, parts, {
        schema: topic.data,
        handle: (data, about) => handle(data as z.output<Data>, about),
        answerTo: (_, result) => ({ result, text: undefined }),
      });
      return undefined;
    },
  });

/** Answers requests, as one of all who do: `unavailable`, `invalid_body` and what the handler refuses go back to the requester. */
export const answer =
  <Asked extends z.ZodType, Answer extends z.ZodType>(
    request: Request<Asked, Answer>,
    handle: (data: z.output<Asked>, about: MessageAbout) => Promise<Result<z.input<Answer>, Failure>>,
  ): MessageHandler =>
  (parts) => ({
    address: request.address,
    group: request.service,
    receive: (message) =>
      received("server", message, parts, {
        schema: request.request,
        handle: (data, about) => handle(data as z.output<Asked>, about),
        answerTo: (id, result) => answerTo(request, { ...parts, id }, result),
      }),
    busy: ({ id }) => answerTo(request, { ...parts, id }, tooBusy(request.address)).text,
  });

interface Handling {
  readonly schema: z.ZodType;
  readonly handle: (data: unknown, about: MessageAbout) => Promise<Handled>;
  /** What is sent back, and what the span tells of it. */
  readonly answerTo: (id: string, result: Handled) => { result: Handled; text: string | undefined };
}

const received = (
  kind: "consumer" | "server",
  message: Message,
  parts: HandlerParts,
  { schema, handle, answerTo: answering }: Handling,
): Promise<string | undefined> =>
  withTrace(message.trace, () =>
    inSpan(
      `process ${message.address}`,
      {
        kind,
        attributes: {
          "messaging.system": parts.system,
          "messaging.operation.name": "process",
          "messaging.operation.type": "process",
          "messaging.destination.name": message.address,
          "messaging.message.id": message.id,
        },
      },
      async (span) => {
        const handled = await checkedThenHandled(message, parts, { schema, handle, span });
        const { result, text } = answering(message.id, handled);
        if (!result.ok) refuseSpan(span, result.error);
        countMessage(message.address, result.ok ? "handled" : "refused");
        return text;
      },
    ),
  );

const checkedThenHandled = async (
  message: Message,
  parts: HandlerParts,
  { schema, handle, span }: Omit<Handling, "answerTo"> & { span: Span },
): Promise<Handled> => {
  // Characters are never more than bytes, and a sender of ours has counted these.
  if (message.body.length > LIMITS.messageBytes) return err(tooLarge(message));
  const envelope = decodeMessage(message.address, message.body);
  if (!envelope.ok) return envelope;
  const data = schema.safeParse(envelope.value.data);
  if (!data.success)
    return err({ code: "invalid_body", detail: messageFault(`Reading "${message.address}"`, data.error) });
  return inTime(message, parts, async (signal, until) => {
    try {
      return await handle(data.data, aboutOf(message, envelope.value, { signal, until, clock: parts.clock }));
    } catch (error) {
      // What was thrown is told by the span alone.
      failSpan(span, error);
      return err({ code: "internal_error", detail: `Handling "${message.address}" was not completed.` });
    }
  });
};

const tooLarge = ({ address, body }: Message): Failure => ({
  code: "body_too_large",
  detail: `Reading "${address}" of ${body.length} characters: expected at most ${LIMITS.messageBytes} bytes.`,
});

const aboutOf = (
  { metadata }: Message,
  { id, source, time }: Envelope,
  { signal, until, clock }: { signal: AbortSignal; until: number; clock: Clock },
): MessageAbout => ({ id, source, time, metadata, signal, remainingMs: () => until - clock() });

/** A handler that does not end holds its place no longer than anybody waits for it. */
const inTime = async (
  { address, deadlineMs = LIMITS.messageHandleMs }: Message,
  { clock, sleep }: HandlerParts,
  work: (signal: AbortSignal, until: number) => Promise<Handled>,
): Promise<Handled> => {
  const ms = Math.min(deadlineMs, LIMITS.messageHandleMs);
  const until = clock() + ms;
  try {
    return await bounded({ ms, sleep }, (signal) => work(signal, until));
  } catch {
    return err({ code: "unavailable", detail: `Handling "${address}": it took longer than ${ms} ms.` });
  }
};

/** An answer that is not as declared, or is too large, is the answerer's mistake, and the requester is told so. */
const answerTo = (
  { address, version, answer }: Request,
  { service, clock, id }: HandlerParts & { id: string },
  result: Handled,
): { result: Handled; text: string } => {
  const envelope = { id: `${id}/answer`, source: service, time: rfc3339(clock()), version };
  const refused = (failure: Failure) => ({
    result: err(failure),
    text: encodeRefusal(address, failure, envelope),
  });
  if (!result.ok) return refused(result.error);
  const checked = answer.safeParse(result.value);
  if (!checked.success)
    return refused({
      code: "answer_not_valid",
      detail: messageFault(`Answering "${address}"`, checked.error),
    });
  const text = encodeAnswer(address, { ...envelope, data: result.value });
  const bytes = utf8Bytes(text);
  if (bytes <= LIMITS.messageBytes) return { result, text };
  const detail = `Answering "${address}" with ${bytes} bytes: expected at most ${LIMITS.messageBytes}.`;
  return refused({ code: "answer_not_valid", detail });
};
