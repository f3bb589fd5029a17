/** Finds where a stream stood at a time, by the server's own clock. */
import { AckPolicy, DeliverPolicy, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { LIMITS } from "#shared/limits.ts";

/** The server forgets a consumer that nobody deleted after this. */
const CONSUMER_GONE_AFTER_NS = 10_000_000_000;

/**
 * Position of the first message that was stored at `atMs` or later; one more than the last when there is none.
 * A consumer that begins at the time knows it without a message being sent.
 */
export const positionAt = async (
  connection: NatsConnection,
  { stream, atMs }: { stream: string; atMs: number },
): Promise<number> => {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: LIMITS.readRequestMs });
  const consumer = await manager.consumers.add(stream, {
    name: `position-${crypto.randomUUID()}`,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(atMs).toISOString(),
    ack_policy: AckPolicy.None,
    inactive_threshold: CONSUMER_GONE_AFTER_NS,
    mem_storage: true,
    num_replicas: 1,
    headers_only: true,
  });
  void manager.consumers.delete(stream, consumer.name).catch(() => undefined);
  return consumer.delivered.stream_seq + 1;
};
