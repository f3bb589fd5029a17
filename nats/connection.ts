/**
 * One lazily made NATS connection for its holder. A lost connection is never reconnected underneath: the client library
 * would then send what it had buffered, commands that were already answered "unavailable" among it.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { openConnection } from "./open-connection.ts";

export interface NatsConnector {
  /** The open connection, or a new one. @throws LogUnavailable when none can be had at the moment */
  get(): Promise<NatsConnection>;
  close(): Promise<void>;
}

/** After a refused attempt others are refused at once for this long, so that a request storm is no connection storm. */
const REFUSED_PAUSE_MS = 100;

export const natsConnector = ({
  url,
  name,
  clock,
  open = openConnection,
}: {
  url: string;
  /** Shown in the server's connection list. */
  name: string;
  clock: Clock;
  open?: typeof openConnection;
}): NatsConnector => {
  let current: Promise<NatsConnection> | undefined;
  let refusedUntil = 0;

  const forget = () => {
    current = undefined;
  };

  const connect = async (): Promise<NatsConnection> => {
    try {
      const connection = await open({
        servers: url,
        name,
        reconnect: false,
        timeout: LIMITS.natsConnectMs,
        pingInterval: 10_000,
        maxPingOut: 2,
        ignoreAuthErrorAbort: false,
        // Or else each request prepares two stack traces, in case it fails: a fifth of an append's time.
        noAsyncTraces: true,
      });
      void connection.closed().then(forget);
      return connection;
    } catch (cause) {
      refusedUntil = clock() + REFUSED_PAUSE_MS;
      throw new LogUnavailable("The log is not reachable", { cause });
    }
  };

  return {
    async get() {
      if (current) return current;
      if (clock() < refusedUntil) throw new LogUnavailable("The log is not reachable");
      current = connect();
      current.catch(forget);
      return current;
    },
    async close() {
      const connection = await current?.catch(() => undefined);
      await connection?.close();
    },
  };
};
