/** The stream of a service's snapshots as data: one message an aggregate, and no history, so it may be deleted at any time. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { LIMITS } from "#shared/limits.ts";
import { snapshotStream, snapshotSubjects } from "./subjects.ts";

export const snapshotStreamConfig = (service: string) =>
  ({
    name: snapshotStream(service),
    subjects: [snapshotSubjects(service)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: 1,
    max_bytes: LIMITS.snapshotStreamBytes,
  }) satisfies Partial<StreamConfig>;
