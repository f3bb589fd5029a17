/** Hears of new epochs of the control plane, over whatever happens to the connection. */
import type { NatsConnection } from "@nats-io/nats-core";
import { backoffMs } from "#shared/cqrs/backoff.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Random, Sleep } from "#shared/runtime/clock.ts";
import { openConnection } from "./open-connection.ts";
import { EPOCH_SUBJECT } from "./subjects.ts";

export interface FollowEpochsOptions {
  /** The NATS server's address, with credentials when it asks for some. */
  readonly url: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  /** What is published while there is no connection is not heard of: look by yourself now and then. */
  readonly saw: (epoch: number) => void;
  readonly sleep: Sleep;
  readonly random?: Random;
  readonly open?: typeof openConnection;
}

export interface EpochSubscription {
  /** Ends the connection and the attempts to have one. */
  close(): Promise<void>;
}

/** A silent connection is given up after two of them. */
const PING_MS = 10_000;

/** Connects again for as long as it is not closed, with growing pauses up to five seconds. */
export const followEpochs = ({
  url,
  name,
  saw,
  sleep,
  random = Math.random,
  open = openConnection,
}: FollowEpochsOptions): EpochSubscription => {
  const closed = new AbortController();
  let current: NatsConnection | undefined;

  const listen = async (connection: NatsConnection): Promise<void> => {
    for await (const message of connection.subscribe(EPOCH_SUBJECT)) {
      const epoch = readEpoch(message.string());
      if (epoch !== undefined) saw(epoch);
    }
  };

  /** @returns whether there was a connection */
  const connectOnce = async (): Promise<boolean> => {
    const connection = await open({
      servers: url,
      name,
      reconnect: false,
      timeout: LIMITS.natsConnectMs,
      pingInterval: PING_MS,
      maxPingOut: 2,
    }).catch(() => undefined);
    if (!connection) return false;
    current = connection;
    if (closed.signal.aborted) await connection.close();
    // However the connection ends, what comes next is the next one.
    else await Promise.race([listen(connection), connection.closed()]).catch(() => {});
    await connection.close();
    return true;
  };

  const follow = async (): Promise<void> => {
    for (let failures = 0; !closed.signal.aborted; ) {
      failures = (await connectOnce()) ? 1 : failures + 1;
      await sleep(backoffMs(failures, random), closed.signal).catch(() => {});
    }
  };

  const following = follow();
  return {
    async close() {
      closed.abort();
      await current?.close();
      await following;
    },
  };
};

const readEpoch = (text: string): number | undefined => {
  try {
    const { epoch } = JSON.parse(text) as { epoch?: unknown };
    return Number.isSafeInteger(epoch) ? (epoch as number) : undefined;
  } catch {
    return undefined;
  }
};
