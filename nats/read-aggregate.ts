/** Reads one aggregate's commits so that every acknowledged one is seen. */
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type MsgRequest,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Commit } from "#shared/events/event.ts";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { decodeCommit } from "./envelope.ts";
import { parseCommitSubject } from "./subjects.ts";

/** Above this many commits a consumer fetches the bulk; below, its set-up costs more than asking one by one. */
const READ_SINGLY_MAX = 16;
const CONSUMER_GONE_AFTER_NS = 10_000_000_000;

export const readAggregate = async (
  connection: NatsConnection,
  { stream, subject, from }: { stream: string; subject: string; from: number },
): Promise<Commit[]> => {
  const manager = await jetstreamManager(connection, {
    checkAPI: false,
    timeout: LIMITS.readRequestMs,
  });
  const commits: Commit[] = [];
  let next = from;
  for (let singly = 1; ; singly++) {
    const stored = await firstFrom(manager, { stream, subject, from: next });
    if (stored === null) return commits;
    commits.push(commitOf(stored));
    next = stored.seq + 1;
    if (singly === READ_SINGLY_MAX) {
      const bulk = await readBulk(connection, manager, { stream, subject, from: next });
      commits.push(...bulk);
      next = (bulk.at(-1)?.position ?? stored.seq) + 1;
    }
  }
};

/** From the stream's leader: a consumer may run on a replica that is behind, so the last look is always this one. */
const firstFrom = (
  manager: JetStreamManager,
  { stream, subject, from }: { stream: string; subject: string; from: number },
): Promise<StoredMsg | null> => {
  // The server takes `next_by_subj` here since 2.7; the client's type lists it for direct gets only.
  const query = { seq: from, next_by_subj: subject } as unknown as MsgRequest;
  return manager.streams.getMessage(stream, query);
};

const readBulk = async (
  connection: NatsConnection,
  manager: JetStreamManager,
  { stream, subject, from }: { stream: string; subject: string; from: number },
): Promise<Commit[]> => {
  const info = await manager.consumers.add(stream, {
    filter_subject: subject,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    ack_policy: AckPolicy.None,
    inactive_threshold: CONSUMER_GONE_AFTER_NS,
    mem_storage: true,
  });
  try {
    if (info.num_pending === 0) return [];
    const consumer = jetstream(connection).consumers.getConsumerFromInfo(info);
    const messages = await consumer.fetch({ max_messages: info.num_pending, expires: 5_000 });
    const commits: Commit[] = [];
    for await (const { subject, seq, data, headers } of messages) {
      const aggregate = parseCommitSubject(subject);
      commits.push(decodeCommit({ aggregate, position: seq, payload: data, headers }));
    }
    if (commits.length < info.num_pending)
      throw new LogUnavailable(`Read only a part of the history "${subject}"`);
    return commits;
  } finally {
    void manager.consumers.delete(stream, info.name).catch(() => undefined);
  }
};

const commitOf = ({ subject, seq, data, header }: StoredMsg): Commit =>
  decodeCommit({ aggregate: parseCommitSubject(subject), position: seq, payload: data, headers: header });
