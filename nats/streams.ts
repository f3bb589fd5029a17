/** Streams as data: one per service that has a log, one for its snapshots, and whose logs that service follows. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { snapshotStreamConfig } from "./snapshot-stream.ts";
import { logStream, logSubjects } from "./subjects.ts";

export interface LogService {
  readonly service: string;
  /** The services whose logs its processes follow; on the server it may read no others. */
  readonly follows: readonly string[];
  /** Whether one of its aggregates declares a snapshot `inLog`. */
  readonly snapshots?: boolean;
  /** Topics and requests by their addresses (`catalog.quote.v1`); absent: it neither sends nor hears any. */
  readonly messages?: MessageUse;
}

/** What a service does with messages that are no history. */
export interface MessageUse {
  readonly publishes?: readonly string[];
  readonly hears?: readonly string[];
  readonly asks?: readonly string[];
  readonly answers?: readonly string[];
}

/** Services with a log. The catalog keeps plain rows and has none. */
export const LOG_SERVICES = [
  { service: "orders", follows: ["inventory", "payments"] },
  { service: "inventory", follows: ["orders"], snapshots: true },
  { service: "payments", follows: ["orders"] },
] as const satisfies readonly LogService[];

/** Their names. */
export const LOGS = LOG_SERVICES.map(({ service }) => service);

/** Those whose snapshots stand on the server, too. */
const SNAPSHOT_SERVICES = LOG_SERVICES.filter(({ snapshots }: LogService) => snapshots).map(
  ({ service }) => service,
);

const MINUTE_NS = 60 * 1_000_000_000;

/** A log forgets nothing: no deletion, no purge, no age, and a full one refuses instead of dropping the oldest. */
export const logStreamConfig = (service: string) =>
  ({
    name: logStream(service),
    subjects: [logSubjects(service)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    deny_delete: true,
    deny_purge: true,
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_bytes: -1,
    duplicate_window: 2 * MINUTE_NS,
    allow_direct: true,
  }) satisfies Partial<StreamConfig>;

/** What a stream must be: its name, and the settings that are not left to the server. */
export type DeclaredStream = Partial<StreamConfig> & { readonly name: string };

/** @param replicas copies of each stream on different servers; absent: as it stands, one when it is new */
export const declaredStreams = (replicas?: number): DeclaredStream[] =>
  [...LOGS.map(logStreamConfig), ...SNAPSHOT_SERVICES.map(snapshotStreamConfig)].map((stream) => ({
    ...stream,
    ...(replicas !== undefined && { num_replicas: replicas }),
  }));

/**
 * Settings that must be off or absent (an older server does not know them all): each lets a message go, one be acknowledged
 * before it is kept, or one stand that the service did not write. Roll-ups and delete markers need no mention, because the
 * server has them only without `deny_purge`.
 */
export const SETTINGS_NEVER_ON = [
  "allow_msg_ttl",
  "mirror",
  "no_ack",
  "persist_mode",
  "sources",
  "subject_transform",
] as const satisfies readonly (keyof StreamConfig)[];
