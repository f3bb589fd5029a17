/** Opens a connection to the NATS server of an address, which may hold what the server asks for. */
import { type ConnectionOptions, type NatsConnection, wsconnect } from "@nats-io/nats-core";
import { connect as tcpConnect } from "@nats-io/transport-node";

export interface NatsServerAddress {
  /** The address without the credentials: fit to be shown. */
  readonly servers: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/**
 * Takes an address apart, because the client library drops what stands before the host without a word.
 * @param url `scheme://user:password@host:port` or `scheme://token@host:port`, both percent-encoded where they must be
 */
export const natsServerAddress = (url: string): NatsServerAddress => {
  const [, scheme, credentials, host] = url.match(/^(\w+:\/\/)(?:([^/]*)@)?(.*)$/) ?? [];
  if (scheme === undefined || credentials === undefined) return { servers: url };
  const servers = `${scheme}${host}`;
  const [first = "", ...rest] = credentials.split(":");
  if (rest.length === 0) return { servers, token: decodeURIComponent(first) };
  return { servers, user: decodeURIComponent(first), pass: decodeURIComponent(rest.join(":")) };
};

/** TCP is faster for single commands; a WebSocket URL (`wss://`) is what a worker can reach through port 443. */
export const openConnection = (options: ConnectionOptions & { servers: string }): Promise<NatsConnection> => {
  const addressed = { ...options, ...natsServerAddress(options.servers) };
  return /^wss?:/.test(addressed.servers) ? wsconnect(addressed) : tcpConnect(addressed);
};
