/** A message's headers: those of a commit, and what remains of the requester's time. */
import { headers as createHeaders, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import type { Message } from "#shared/messaging/message-transport.ts";
import { deadlineHeaderMs } from "#shared/resilience/deadline-header.ts";
import { carriedIn, carryIn } from "../envelope.ts";

const CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8";
const MESSAGE_ID = "Skerry-Message-Id";
/** As HTTP has it; NATS headers keep their case. */
const DEADLINE = "Skerry-Deadline";

/** @throws RangeError for metadata that a header would not keep as it is */
export const messageHeaders = ({ id, trace, metadata, deadlineMs }: Message): MsgHdrs => {
  const headers = answerHeaders();
  headers.append(MESSAGE_ID, id);
  carryIn(headers, { trace, metadata });
  if (deadlineMs !== undefined) headers.append(DEADLINE, `${Math.floor(deadlineMs)}`);
  return headers;
};

export const answerHeaders = (): MsgHdrs => {
  const headers = createHeaders();
  headers.append("Content-Type", CONTENT_TYPE);
  return headers;
};

/** @param address where it came in */
export const messageOf = (address: string, received: Msg): Message => {
  const { headers } = received;
  const deadlineMs = deadlineHeaderMs({ get: () => headers?.get(DEADLINE) || null });
  return {
    address,
    id: headers?.get(MESSAGE_ID) ?? "",
    body: received.string(),
    ...carriedIn(headers),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
};
