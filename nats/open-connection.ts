/** Opens a connection to the NATS servers of an address, with what they ask for: a password, a key, a CA of their own. */
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  wsconnect,
} from "@nats-io/nats-core";
import { connect as tcpConnect } from "@nats-io/transport-node";

export interface NatsServerAddress {
  /** The addresses without the credentials, by commas: fit to be shown. */
  readonly servers: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/** All that is needed to be let in. */
export interface NatsAccess {
  /**
   * `nats://`, `tls://`, `ws://` or `wss://`, with credentials where the server asks for some: see `natsServerAddress`.
   * Several by commas: any server of a cluster will do.
   */
  readonly servers: string;
  /** An nkey seed (`SU…`), or the content of a `.creds` file; stronger than credentials in the address. */
  readonly creds?: string | undefined;
  /**
   * Certificates of the authorities that the servers' are signed by, in PEM; absent: those of the platform. The Workers
   * runtime and WebSockets take no other.
   */
  readonly ca?: string | undefined;
}

/**
 * Takes addresses apart, because the client library drops what stands before the host without a word. The first credentials
 * count for all of them.
 * @param url `scheme://user:password@host:port` or `scheme://token@host:port`, both percent-encoded where they must be
 */
export const natsServerAddress = (url: string): NatsServerAddress => {
  const all = url.split(",").map((one) => oneAddress(one.trim()));
  const { servers: _, ...credentials } = all.find(({ user, token }) => user ?? token) ?? {};
  return { servers: all.map(({ servers }) => servers).join(","), ...credentials };
};

const oneAddress = (url: string): NatsServerAddress => {
  const [, scheme, credentials, host] = url.match(/^(\w+:\/\/)(?:([^/]*)@)?(.*)$/) ?? [];
  if (scheme === undefined || credentials === undefined) return { servers: url };
  const servers = `${scheme}${host}`;
  const [first = "", ...rest] = credentials.split(":");
  if (rest.length === 0) return { servers, token: decodeURIComponent(first) };
  return { servers, user: decodeURIComponent(first), pass: decodeURIComponent(rest.join(":")) };
};

/**
 * TCP is faster for single commands; a WebSocket URL (`wss://`) is what a worker can reach through port 443. `tls://`, and a
 * CA with any TCP address, refuse a server without TLS before anything secret is sent.
 * @throws Error for what cannot be right: credentials of no known form, a CA where the platform chooses
 */
export const openConnection = async ({
  creds,
  ca,
  ...options
}: Omit<ConnectionOptions, "servers" | "tls" | "authenticator"> & NatsAccess): Promise<NatsConnection> => {
  const { servers, ...inAddress } = natsServerAddress(options.servers);
  const isWebSocket = /^wss?:/.test(servers);
  if (ca && (isWebSocket || IN_WORKERS))
    throw new Error(`Cannot use a CA with "${servers}" here: the platform's own are trusted alone`);
  const addressed = {
    ...options,
    ...(creds ? { authenticator: authenticatorOf(creds) } : inAddress),
    servers: servers.split(","),
  };
  if (isWebSocket) return wsconnect(addressed);
  const tls = /^tls:/.test(servers) || ca ? tlsOptions(ca) : {};
  // The runtime's sockets find a host by themselves; to look it up first is a request to a public resolver there.
  return tcpConnect({ ...addressed, ...tls, ...(IN_WORKERS && { resolve: false }) });
};

const IN_WORKERS = typeof navigator !== "undefined" && navigator.userAgent === "Cloudflare-Workers";

/** The Workers runtime cannot begin TLS on a socket that was read from, as NATS does: the server must take it first. */
const tlsOptions = (ca: string | undefined): Pick<ConnectionOptions, "tls"> => {
  if (IN_WORKERS) return { tls: { handshakeFirst: true } };
  return { tls: ca ? { ca } : {} };
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The text is a secret: no message quotes it. */
const authenticatorOf = (creds: string): Authenticator => {
  const text = creds.replaceAll("\r\n", "\n").trim();
  if (/^SU[A-Z2-7]{56}$/.test(text)) return nkeyAuthenticator(bytes(text));
  if (/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(text))
    return credsAuthenticator(bytes(`${text}\n`));
  throw new Error(
    "Cannot use the credentials for NATS: expected an nkey seed (SU…) or the content of a .creds file",
  );
};
