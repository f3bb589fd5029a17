/** Makes the streams that `streams.ts` declares, or verifies that those that stand keep their promises. */
import { JetStreamApiError, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { openConnection } from "./open-connection.ts";
import { LOGS, logStreamConfig, SETTINGS_NEVER_ON } from "./streams.ts";

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
      verify(config, wanted);
      applied.push({ stream: wanted.name, did: standing ? "verified" : "created" });
    }
    return applied;
  } finally {
    await connection.close();
  }
};

const verify = (standing: StreamConfig, wanted: Partial<StreamConfig>) => {
  const refuse = (setting: string, stands: unknown, expected: string) => {
    throw new Error(
      `Cannot use the stream "${standing.name}": ${setting} is ${JSON.stringify(stands)}, expected ${expected}`,
    );
  };
  for (const [setting, value] of Object.entries(wanted)) {
    const stands = standing[setting as keyof StreamConfig];
    const expected = JSON.stringify(value);
    if (JSON.stringify(stands) !== expected) refuse(setting, stands, expected);
  }
  for (const setting of SETTINGS_NEVER_ON) {
    const stands = standing[setting];
    if (stands) refuse(setting, stands, "none");
  }
};
