/** How a commit travels: one message, a CloudEvents 1.0 batch (JSON format, section 4) with the command in its headers. */
import { headers as createHeaders, type MsgHdrs } from "@nats-io/nats-core";
import { EPOCH_FIELD } from "#shared/control/epoch-field.ts";
import type { AggregateRef, Commit, DomainEvent, RecordedEvent } from "#shared/events/event.ts";
import type { Append } from "#shared/events/event-log.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";

const COMMAND_ID = "Skerry-Command-Id";
/** What rides along with a commit: its NATS header by its field in `trace`. */
const TRACE_HEADERS = [
  ["traceparent", "traceparent"],
  ["tracestate", "tracestate"],
  [EPOCH_FIELD, "Skerry-Epoch"],
] as const;

interface CloudEvent {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: "application/json";
  /** Extension attribute: the event's version within its aggregate. */
  aggregateversion: number;
  /** Extension attribute: the version of the type's schema that `data` follows; absent means 1. */
  eventversion?: number;
  data: object;
}

export interface CommitMessage {
  payload: Uint8Array;
  headers: MsgHdrs;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encodeCommit = (service: string, append: Append): CommitMessage => {
  const time = rfc3339(append.at);
  const batch = append.events.map(
    (event, index): CloudEvent => ({
      specversion: "1.0",
      id: `${append.commandId}/${index}`,
      source: `/${service}`,
      type: `${service}.${event.type}`,
      subject: `${append.aggregate.type}/${append.aggregate.id}`,
      time,
      datacontenttype: "application/json",
      aggregateversion: append.expectedVersion + index + 1,
      ...(event.eventVersion !== undefined && { eventversion: event.eventVersion }),
      data: event.data,
    }),
  );
  const headers = createHeaders();
  headers.append("Content-Type", "application/cloudevents-batch+json; charset=UTF-8");
  headers.append(COMMAND_ID, append.commandId);
  for (const [field, header] of TRACE_HEADERS) {
    const value = append.trace[field];
    if (value) headers.append(header, value);
  }
  return { payload: encoder.encode(JSON.stringify(batch)), headers };
};

/** @throws SyntaxError when the payload is not JSON: nothing but this adapter writes to a log */
export const decodeCommit = <Event extends DomainEvent>(message: {
  aggregate: AggregateRef;
  position: number;
  payload: Uint8Array;
  headers: MsgHdrs | undefined;
}): Commit<Event> => {
  const batch = JSON.parse(decoder.decode(message.payload)) as CloudEvent[];
  const trace: Record<string, string> = {};
  for (const [field, header] of TRACE_HEADERS) {
    const value = message.headers?.get(header);
    if (value) trace[field] = value;
  }
  return {
    aggregate: message.aggregate,
    position: message.position,
    commandId: message.headers?.get(COMMAND_ID) ?? "",
    trace,
    events: batch.map(
      (event) =>
        ({
          type: event.type.slice(event.type.indexOf(".") + 1),
          data: event.data,
          id: event.id,
          time: event.time,
          version: event.aggregateversion,
          ...(event.eventversion !== undefined && { eventVersion: event.eventversion }),
        }) as unknown as RecordedEvent<Event>,
    ),
  };
};
