/** Snapshots on the NATS server, where the Actor that takes over an aggregate finds them. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { SnapshotLog } from "#shared/cqrs/snapshot.ts";
import { LIMITS } from "#shared/limits.ts";
import type { NatsConnector } from "./connection.ts";
import { snapshotStream, snapshotSubject } from "./subjects.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param options.connector may be the one of the service's log */
export const natsSnapshotLog = ({
  service,
  connector,
}: {
  service: string;
  connector: NatsConnector;
}): SnapshotLog => ({
  async read(aggregate) {
    const manager = await jetstreamManager(await connector.get(), {
      checkAPI: false,
      timeout: LIMITS.snapshotRequestMs,
    });
    const stored = await manager.streams.getMessage(snapshotStream(service), {
      last_by_subj: snapshotSubject(service, aggregate),
    });
    return stored ? decoder.decode(stored.data) : undefined;
  },
  async write(aggregate, snapshot) {
    const payload = encoder.encode(snapshot);
    if (payload.length > LIMITS.commitBytes) {
      throw new RangeError(
        `Cannot keep a snapshot of "${aggregate.type}/${aggregate.id}" on the NATS server: it has ${payload.length} bytes, expected at most ${LIMITS.commitBytes}`,
      );
    }
    await jetstream(await connector.get()).publish(snapshotSubject(service, aggregate), payload, {
      timeout: LIMITS.snapshotRequestMs,
      retries: 0,
      // Or else a stream that somebody put over this subject would take it.
      expect: { streamName: snapshotStream(service) },
    });
  },
});
