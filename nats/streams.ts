/** Streams as data: one per service that has a log. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { logStream, logSubjects } from "./subjects.ts";

/** Services with a log. The catalog keeps plain rows and has none. */
export const LOGS = ["orders", "inventory", "payments"] as const;

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
  }) satisfies Partial<StreamConfig>;

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
