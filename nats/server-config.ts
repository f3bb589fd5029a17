/** The configuration of a NATS server as data, and as the text that the server reads. */
import type { UserPermissions } from "./permissions.ts";

/** A value of the server's configuration language. */
export type ServerSetting =
  | string
  | number
  | boolean
  | { readonly variable: string }
  | readonly ServerSetting[]
  | ServerSettings;
export interface ServerSettings {
  readonly [name: string]: ServerSetting;
}

/**
 * When what was acknowledged is on disk: `always` before the acknowledgement, `interval` up to two minutes after it. One
 * server that loses power, or three that do at once, lose what was not there yet.
 */
export type Durability = "always" | "interval";

export interface ServerFiles {
  readonly cert: string;
  readonly key: string;
  /** Of the authority that the servers of a cluster know each other by. */
  readonly ca?: string | undefined;
}

export interface ServerConfigOptions {
  /** All servers of the cluster; one alone is no cluster. */
  readonly hosts: readonly string[];
  /** Which of them this is for. */
  readonly host: string;
  readonly durability: Durability;
  /** For servers before 2.10: they know no setting of the durability, which is `interval`, and no TLS from the first byte. */
  readonly before210?: boolean;
  /** Folder of the log. */
  readonly storeDir: string;
  /** Paths on the server. */
  readonly tls?: ServerFiles | undefined;
  /** Whether it listens for WebSockets, with the same certificate. */
  readonly webSocket?: boolean;
  /** Users and what they may do; absent: whoever reaches the server may do everything. */
  readonly users?: readonly UserPermissions[] | undefined;
}

const CLIENT_PORT = 4222;
const CLUSTER_PORT = 6222;
const WEBSOCKET_PORT = 8443;
/** On this machine alone: it tells everybody everything, among it the durability. */
const MONITOR = "127.0.0.1:8222";
/** The server's own default; `LIMITS.commitBytes` stays below it. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const SYNC_INTERVAL: Readonly<Record<Durability, string>> = { always: "always", interval: "2m" };

export const ACCOUNT = "SKERRY";

/** The variable that holds a user's password on the server: no configuration holds it. */
export const passwordVariable = (user: string): string =>
  `NATS_PASSWORD_${user.toUpperCase().replaceAll("-", "_")}`;

/** @throws RangeError when the host is none of the cluster's, or the server knows no such durability */
export const natsServerConfig = (options: ServerConfigOptions): ServerSettings => {
  const { host, hosts, durability, before210 = false, storeDir, tls, webSocket = false, users } = options;
  if (!hosts.includes(host))
    throw new RangeError(`Cannot configure the server "${host}": expected one of ${hosts.join(", ")}`);
  if (before210 && durability === "always")
    throw new RangeError('Cannot have durability "always" before 2.10: expected "interval"');
  const certificate = tls && { cert_file: tls.cert, key_file: tls.key };
  return {
    server_name: host,
    port: CLIENT_PORT,
    http: MONITOR,
    max_payload: MAX_PAYLOAD_BYTES,
    jetstream: {
      store_dir: storeDir,
      ...(!before210 && { sync_interval: SYNC_INTERVAL[durability] }),
    },
    // Workers can begin TLS only so; others are heard as ever after 50 ms.
    ...(certificate && { tls: { ...certificate, ...(!before210 && { handshake_first: "auto" }) } }),
    ...(webSocket && {
      websocket: { port: WEBSOCKET_PORT, ...(certificate ? { tls: certificate } : { no_tls: true }) },
    }),
    ...(hosts.length > 1 && { cluster: clusterSettings(hosts, host, tls) }),
    ...(users && accountSettings(users)),
  };
};

/** With TLS each server also asks the others for a certificate of that authority; without it whoever reaches the port is one. */
const clusterSettings = (
  hosts: readonly string[],
  host: string,
  tls: ServerFiles | undefined,
): ServerSettings => ({
  name: "skerry",
  listen: `0.0.0.0:${CLUSTER_PORT}`,
  routes: hosts.filter((other) => other !== host).map((other) => `nats-route://${other}:${CLUSTER_PORT}`),
  ...(tls && {
    tls: { cert_file: tls.cert, key_file: tls.key, ...(tls.ca !== undefined && { ca_file: tls.ca }) },
  }),
});

/** One account with the log, and the system's own, without which nobody can look after the cluster. */
export const accountSettings = (users: readonly UserPermissions[]): ServerSettings => ({
  accounts: {
    [ACCOUNT]: { jetstream: "enabled", users: users.map(userSettings) },
    SYS: { users: [{ user: "system", password: { variable: passwordVariable("system") } }] },
  },
  system_account: "SYS",
});

/** Nothing allowed is written as everything denied: an empty list would allow everything. */
const allowed = (subjects: readonly string[]): ServerSettings =>
  subjects.length > 0 ? { allow: subjects } : { deny: [">"] };

export const userSettings = ({ user, publish, subscribe, responds }: UserPermissions): ServerSettings => ({
  user,
  password: { variable: passwordVariable(user) },
  permissions: {
    publish: allowed(publish),
    subscribe: allowed(subscribe),
    ...(responds === true && { allow_responses: true }),
  },
});

/** As the server reads it; names are the server's own and need no quotes. */
export const serverConfigText = (settings: ServerSettings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}: ${settingText(value, "")}\n`)
    .join("");

const settingText = (value: ServerSetting, indent: string): string => {
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value))
    return block(
      "[",
      value.map((item) => settingText(item, `${indent}  `)),
      "]",
      indent,
    );
  if (isVariable(value)) return `$${value.variable}`;
  const inner = Object.entries(value).map(([name, item]) => `${name}: ${settingText(item, `${indent}  `)}`);
  return block("{", inner, "}", indent);
};

const block = (open: string, items: readonly string[], close: string, indent: string): string =>
  [open, ...items.map((item) => `${indent}  ${item}`), `${indent}${close}`].join("\n");

const isList = (value: ServerSetting): value is readonly ServerSetting[] => Array.isArray(value);

const isVariable = (value: object): value is { readonly variable: string } =>
  "variable" in value && typeof value.variable === "string";
