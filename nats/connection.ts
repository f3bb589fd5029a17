/**
 * One lazily made NATS connection for its holder. A lost connection is never reconnected underneath: the client library
 * would then send what it had buffered, commands that were already answered "unavailable" among it.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { type Clock, type Random, type Sleep, sleep as systemSleep } from "#shared/runtime/clock.ts";
import { type NatsAccess, openConnection } from "./open-connection.ts";
import { inboxPrefix } from "./subjects.ts";

export interface NatsConnector {
  /** The open connection, or a new one. @throws LogUnavailable when none can be had at the moment */
  get(): Promise<NatsConnection>;
  /** The open connection, when there is one: for who cannot wait. */
  standing(): NatsConnection | undefined;
  /** Lets what has arrived be handled, for a second at most, and closes. */
  close(): Promise<void>;
}

export interface NatsConnectorOptions extends Omit<NatsAccess, "servers"> {
  readonly url: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  /** Names the inbox that answers come to; a server with permissions allows each user its own. Absent: everybody's. */
  readonly user?: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly sleep?: Sleep;
  readonly open?: typeof openConnection;
}

const FIRST_PAUSE_MS = 100;

/** How long others are refused at once after so many refused attempts, so that a request storm is no connection storm. */
const pauseMs = (refusals: number, random: Random): number => {
  const ceiling = Math.min(LIMITS.natsRefusedPauseMs, FIRST_PAUSE_MS * 2 ** Math.min(refusals - 1, 10));
  return Math.ceil(ceiling * (0.5 + random() / 2));
};

export const natsConnector = ({
  url,
  name,
  user,
  creds,
  ca,
  clock,
  random = Math.random,
  sleep = systemSleep,
  open = openConnection,
}: NatsConnectorOptions): NatsConnector => {
  let opening: Promise<NatsConnection> | undefined;
  let current: { readonly connection: NatsConnection; readonly since: number } | undefined;
  const retiring = new Set<NatsConnection>();
  let ending = new AbortController();
  let refusals = 0;
  let refusedUntil = 0;

  const connect = async (): Promise<NatsConnection> => {
    try {
      const connection = await open({
        servers: url,
        name,
        creds,
        ca,
        ...(user !== undefined && { inboxPrefix: inboxPrefix(user) }),
        reconnect: false,
        timeout: LIMITS.natsConnectMs,
        pingInterval: 10_000,
        maxPingOut: 2,
        ignoreAuthErrorAbort: false,
        // Or else each request prepares two stack traces, in case it fails: a fifth of an append's time.
        noAsyncTraces: true,
      });
      refusals = 0;
      current = { connection, since: clock() };
      void connection.closed().then(() => {
        if (current?.connection === connection) current = undefined;
      });
      return connection;
    } catch (cause) {
      refusedUntil = clock() + pauseMs(++refusals, random);
      throw new LogUnavailable("The log is not reachable", { cause });
    } finally {
      opening = undefined;
    }
  };

  /** The old one stays until it is replaced, and then for what is under way on it. */
  const renew = async (old: NatsConnection): Promise<void> => {
    opening = connect();
    await opening;
    retiring.add(old);
    await sleep(LIMITS.natsRetireMs, ending.signal).catch(() => undefined);
    retiring.delete(old);
    await drained(old, sleep);
  };

  const standing = (): NatsConnection | undefined => {
    if (current === undefined || current.connection.isClosed()) return undefined;
    const { connection, since } = current;
    const isDue = clock() - since >= LIMITS.natsRenewMs && clock() >= refusedUntil;
    // A refused attempt changes nothing: the old one is tried to be replaced again when the next one asks.
    if (isDue && opening === undefined) renew(connection).catch(() => undefined);
    return connection;
  };

  return {
    standing,
    async get() {
      const connection = standing();
      if (connection) return connection;
      if (opening === undefined && clock() < refusedUntil)
        throw new LogUnavailable("The log is not reachable");
      opening ??= connect();
      return opening;
    },
    async close() {
      ending.abort();
      ending = new AbortController();
      await opening?.catch(() => undefined);
      const open = current ? [current.connection, ...retiring] : [...retiring];
      await Promise.all(open.map((connection) => drained(connection, sleep)));
    },
  };
};

/** Closes it, after what has arrived was handled when that does not take long. */
const drained = async (connection: NatsConnection, sleep: Sleep): Promise<void> => {
  const done = new AbortController();
  const tooLong = sleep(LIMITS.natsDrainMs, done.signal).catch(() => undefined);
  // Refused where it is closed already, or lost meanwhile: then nothing is left to handle.
  await Promise.race([connection.drain().catch(() => undefined), tooLong]);
  done.abort();
  await connection.close();
};
