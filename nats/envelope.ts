/** How a commit travels: one message, a CloudEvents 1.0 batch (JSON format, section 4) with the command in its headers. */
import { headers as createHeaders, type MsgHdrs } from "@nats-io/nats-core";
import { EPOCH_FIELD } from "#shared/control/epoch-field.ts";
import { assertMetadata, assertTenant, type CommitMetadata } from "#shared/events/commit-metadata.ts";
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
/** A commit's metadata in the same way. */
const METADATA_HEADERS = [
  ["causationId", "Skerry-Causation-Id"],
  ["correlationId", "Skerry-Correlation-Id"],
  ["actor", "Skerry-Actor"],
  ["tenant", "Skerry-Tenant"],
] as const satisfies readonly (readonly [keyof CommitMetadata, string])[];

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

/** @throws RangeError for metadata that a header would not keep as it is, or that is another tenant's than the aggregate */
export const encodeCommit = (service: string, append: Append): CommitMessage => {
  assertTenant(append.aggregate, append.metadata ?? {});
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
  return { payload: encoder.encode(JSON.stringify(batch)), headers: headersOf(append) };
};

const headersOf = ({ commandId, trace, metadata = {} }: Append): MsgHdrs => {
  const headers = createHeaders();
  headers.append("Content-Type", "application/cloudevents-batch+json; charset=UTF-8");
  headers.append(COMMAND_ID, commandId);
  carryIn(headers, { trace, metadata });
  return headers;
};

/** What rides along with anything that is sent. */
export interface Carried {
  readonly trace: Readonly<Record<string, string>>;
  readonly metadata: CommitMetadata;
}

/** @throws RangeError for metadata that a header would not keep as it is */
export const carryIn = (headers: MsgHdrs, { trace, metadata }: Carried): void => {
  assertMetadata(metadata);
  for (const [field, header] of TRACE_HEADERS) {
    const value = trace[field];
    if (value) headers.append(header, value);
  }
  for (const [field, header] of METADATA_HEADERS) {
    const value = metadata[field];
    if (value) headers.append(header, value);
  }
};

export const carriedIn = (headers: MsgHdrs | undefined): Carried => ({
  trace: fieldsOf(headers, TRACE_HEADERS) as Record<string, string>,
  metadata: fieldsOf(headers, METADATA_HEADERS),
});

/** The fields whose header is there. */
const fieldsOf = <Field extends string>(
  headers: MsgHdrs | undefined,
  table: readonly (readonly [Field, string])[],
): Partial<Record<Field, string>> => {
  const fields: Partial<Record<Field, string>> = {};
  for (const [field, header] of table) {
    const value = headers?.get(header);
    if (value) fields[field] = value;
  }
  return fields;
};

/**
 * Headers are read when somebody asks for what they say: a read model that is filled asks for none, and they cost as much as
 * the payload.
 * @throws SyntaxError when the payload is not JSON: nothing but this adapter writes to a log
 */
export const decodeCommit = <Event extends DomainEvent>(message: {
  aggregate: AggregateRef;
  position: number;
  payload: Uint8Array;
  /** Whose `headers` may be made when they are first asked for. */
  carrier: { readonly headers?: MsgHdrs | undefined };
}): Commit<Event> => {
  const batch = JSON.parse(decoder.decode(message.payload)) as CloudEvent[];
  const { carrier } = message;
  let carried: Carried | undefined;
  const carriedNow = () => {
    carried ??= carriedIn(carrier.headers);
    return carried;
  };
  return {
    aggregate: message.aggregate,
    position: message.position,
    get commandId() {
      return carrier.headers?.get(COMMAND_ID) ?? "";
    },
    get trace() {
      return carriedNow().trace;
    },
    get metadata() {
      return carriedNow().metadata;
    },
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
