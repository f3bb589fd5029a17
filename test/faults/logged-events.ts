/** The logs as the NATS server holds them, read by its own client and taken apart by hand: what the services say is not asked. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

export interface LoggedEvent {
  readonly id: string;
  /** Without the service's prefix: "OrderPlaced". */
  readonly type: string;
  /** Of the aggregate: "order/…". */
  readonly subject: string;
  /** Counts the aggregate's events from 1. */
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

interface CloudEvent {
  id: string;
  type: string;
  subject: string;
  aggregateversion: number;
  data: Record<string, unknown>;
}

/** Every event of the service's log, oldest first. */
export const loggedEvents = async (natsUrl: string, service: string): Promise<LoggedEvent[]> => {
  const connection = await connect({ servers: natsUrl });
  try {
    const { state } = await (await jetstreamManager(connection)).streams.info(`log-${service}`);
    const events: LoggedEvent[] = [];
    if (state.messages === 0) return events;
    const consumer = await jetstream(connection).consumers.get(`log-${service}`);
    for await (const message of await consumer.consume()) {
      for (const { id, type, subject, aggregateversion, data } of message.json<CloudEvent[]>()) {
        events.push({ id, type: type.replace(`${service}.`, ""), subject, version: aggregateversion, data });
      }
      if (message.seq >= state.last_seq) break;
    }
    return events;
  } finally {
    await connection.close();
  }
};
