/** Where each service's log ends, asked of the server itself: what was refused must not have moved it. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { LOGS } from "#nats/streams.ts";
import { logStream } from "#nats/subjects.ts";

export const logPositions = async (natsUrl: string): Promise<Record<string, number>> => {
  const connection = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(connection);
    const positions = LOGS.map(async (service) => {
      const { state } = await manager.streams.info(logStream(service));
      return [service, state.last_seq] as const;
    });
    return Object.fromEntries(await Promise.all(positions));
  } finally {
    await connection.close();
  }
};
