/** Follows a whole stream from a position, in batches as large as what has arrived. */
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Commit } from "#shared/events/event.ts";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { decodeCommit } from "./envelope.ts";
import { parseCommitSubject } from "./subjects.ts";

/** Messages asked for ahead: enough that parsing, not the round trip, is the limit while catching up. */
const IN_FLIGHT = 2_000;

export async function* tailStream(
  connection: NatsConnection,
  options: { stream: string; after: number; batchMax: number; signal: AbortSignal },
): AsyncGenerator<readonly Commit[]> {
  const { stream, after, batchMax, signal } = options;
  const messages = await follow(connection, stream, after);
  const stop = () => void messages.close();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    let batch: Commit[] = [];
    for await (const message of messages) {
      if (signal.aborted) return;
      const { subject, seq, data, headers } = message;
      batch.push(
        decodeCommit({ aggregate: parseCommitSubject(subject), position: seq, payload: data, headers }),
      );
      // Not `getPending()`: it goes negative while a pull waits in the queue among the messages.
      const caughtUp = message.info.pending === 0 && messages.getReceived() === messages.getProcessed();
      if (caughtUp || batch.length >= batchMax) {
        yield batch;
        batch = [];
      }
    }
    if (!signal.aborted) throw new LogUnavailable(`The connection to "${stream}" was lost`);
  } finally {
    signal.removeEventListener("abort", stop);
    await messages.close();
  }
}

const follow = async (connection: NatsConnection, stream: string, after: number) => {
  const consumer = await jetstream(connection).consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
  });
  return consumer.consume({ max_messages: IN_FLIGHT });
};
