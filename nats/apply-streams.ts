/** Makes the streams that `streams.ts` declares, or verifies that those that stand keep their promises. */
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { openConnection } from "./open-connection.ts";
import { LOGS, logStreamConfig } from "./streams.ts";

const STREAM_NOT_FOUND = 10059;
/** Long: at a start the machine is busy building, and nobody's request waits for this. */
const CONNECT_MS = 10_000;

export interface AppliedStream {
  stream: string;
  did: "created" | "verified";
}

/** @throws Error naming the stream when one stands with settings under which it could forget */
export const applyStreams = async ({ natsUrl }: { natsUrl: string }): Promise<AppliedStream[]> => {
  const connection = await openConnection({ servers: natsUrl, reconnect: false, timeout: CONNECT_MS });
  try {
    const manager = await jetstreamManager(connection);
    const applied: AppliedStream[] = [];
    for (const service of LOGS) {
      const wanted = logStreamConfig(service);
      const standing = await manager.streams.info(wanted.name).catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return null;
        throw error;
      });
      const { config } = standing ?? (await manager.streams.add(wanted));
      for (const [setting, value] of Object.entries(wanted)) {
        const stands = config[setting as keyof typeof config];
        if (JSON.stringify(stands) !== JSON.stringify(value)) {
          throw new Error(
            `Cannot use the stream "${wanted.name}": ${setting} is ${JSON.stringify(stands)}, expected ${JSON.stringify(value)}`,
          );
        }
      }
      applied.push({ stream: wanted.name, did: standing ? "verified" : "created" });
    }
    return applied;
  } finally {
    await connection.close();
  }
};
