/** Follows a whole stream from a position, in batches as large as what has arrived. */
import { type ConsumerMessages, DeliverPolicy, jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Commit } from "#shared/events/event.ts";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { decodeCommit } from "./envelope.ts";
import { parseCommitSubject } from "./subjects.ts";

/**
 * Messages asked for ahead: enough that parsing, not the round trip, is the limit while catching up; 2,000 are no faster,
 * and tens of MB on their way at once stall. Not bounded by `max_bytes`: the client library asks for too little, or for
 * nothing until a missed heartbeat, once a message did not fit.
 */
const IN_FLIGHT = 256;
/** A batch ends with the commit that reaches this. */
const BATCH_BYTES = 4 * 1024 * 1024;

export async function* tailStream(
  connection: NatsConnection,
  options: { stream: string; after: number; batchMax: number; signal: AbortSignal },
): AsyncGenerator<readonly Commit[]> {
  const { stream, after, batchMax, signal } = options;
  const consumer = await jetstream(connection).consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
  });
  const messages = await consumer.consume({ max_messages: IN_FLIGHT });
  const stop = () => void messages.close();
  void closeWhenLost(messages);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    let batch: Commit[] = [];
    let bytes = 0;
    for await (const message of messages) {
      if (signal.aborted) return;
      const { subject, seq, data } = message;
      batch.push(
        decodeCommit({
          aggregate: parseCommitSubject(subject),
          position: seq,
          payload: data,
          carrier: message,
        }),
      );
      // Not `getPending()`: it goes negative while a pull waits in the queue among the messages.
      const caughtUp = message.info.pending === 0 && messages.getReceived() === messages.getProcessed();
      bytes += data.length;
      if (caughtUp || batch.length >= batchMax || bytes >= BATCH_BYTES) {
        yield batch;
        batch = [];
        bytes = 0;
      }
    }
    if (!signal.aborted) throw new LogUnavailable(`The tail of "${stream}" was lost`);
  } finally {
    signal.removeEventListener("abort", stop);
    await messages.close();
    // Or else the server keeps it for five minutes. Nobody waits for this, and a lost connection may well refuse it.
    void consumer.delete().catch(() => undefined);
  }
}

/** What tells that commits are missing or none will come. Not missed heartbeats: who takes a batch slowly misses them too. */
const LOST: ReadonlySet<string> = new Set(["reset", "consumer_deleted"]);

/**
 * The client library would make a lost consumer anew, but then asks for too little and stands for half a minute: it counts
 * what it had asked of the old one as still to come.
 */
const closeWhenLost = async (messages: ConsumerMessages) => {
  for await (const { type } of messages.status()) {
    if (LOST.has(type)) return messages.close();
  }
};
