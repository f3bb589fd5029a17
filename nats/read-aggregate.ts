/** Reads one aggregate's commits so that every acknowledged one is seen. */
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type MsgRequest,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import type { Commit } from "#shared/events/event.ts";
import { LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { sleep } from "#shared/runtime/clock.ts";
import { directPage, directPlace, offersDirectPages } from "./direct-page.ts";
import { decodeCommit } from "./envelope.ts";
import { parseCommitSubject } from "./subjects.ts";

/** Above this many commits a consumer fetches the bulk; below, its set-up costs more than asking one by one. */
const READ_SINGLY_MAX = 16;
const CONSUMER_GONE_AFTER_NS = 10_000_000_000;
/** Commits of the bulk fetched at once: tens of MB on their way together stall. */
const PAGE = 256;
/** How long a page may stay open; the watch over its progress ends it sooner. */
const PAGE_MS = 5_000;

interface Range {
  stream: string;
  subject: string;
  /** Position of the first commit that is wanted. */
  from: number;
  most: number;
}

const managerOf = (connection: NatsConnection): Promise<JetStreamManager> =>
  jetstreamManager(connection, { checkAPI: false, timeout: LIMITS.readRequestMs });

/** From the stream's leader. @throws the client library's error when it does not answer for `LIMITS.readRequestMs` */
export const lastCommit = async (
  connection: NatsConnection,
  { stream, subject }: Pick<Range, "stream" | "subject">,
): Promise<Commit | undefined> => {
  const manager = await managerOf(connection);
  const stored = await manager.streams.getMessage(stream, { last_by_subj: subject });
  return stored ? commitOf(stored) : undefined;
};

export type ReadAggregate = (connection: NatsConnection, range: Range) => Promise<Commit[]>;

/**
 * Reads by direct pages where the server offers them and the stream allows it.
 * What it returns throws LogUnavailable, or the client library's error, when nothing comes for `LIMITS.readRequestMs`.
 */
export const aggregateReader = (): ReadAggregate => {
  /** Asked again on the next connection: a stream may be changed. */
  const refused = new WeakSet<NatsConnection>();

  return async (connection, range) => {
    const { stream, subject, from, most } = range;
    if (most <= 1 || !offersDirectPages(connection) || refused.has(connection))
      return readFromLeader(connection, range);
    const firstPage = () => directPage(connection, range);
    // Who knows the beginning mostly finds nothing new; who does not needs the page in any case.
    const early = from === 1 ? firstPage() : undefined;
    early?.catch(() => undefined);
    const last = await lastCommit(connection, { stream, subject });
    if (!last || last.position < from) return [];

    const commits: Commit[] = [];
    for (let page = await (early ?? firstPage()); ; ) {
      if (page.end === "refused") refused.add(connection);
      for (const message of page.messages) commits.push(commitOfDirect(message));
      const position = commits.at(-1)?.position ?? from - 1;
      if (commits.length >= most || position >= last.position) return commits;
      const rest = { ...range, from: position + 1, most: most - commits.length };
      // Whoever answered is behind the leader, or does not answer pages.
      if (page.end !== "whole" || page.messages.length === 0) {
        for (const commit of await readFromLeader(connection, rest)) commits.push(commit);
        return commits;
      }
      page = await directPage(connection, rest);
    }
  };
};

const readFromLeader: ReadAggregate = async (connection, { stream, subject, from, most }) => {
  const manager = await managerOf(connection);
  const commits: Commit[] = [];
  let next = from;
  for (let singly = 1; commits.length < most; singly++) {
    const stored = await firstFrom(manager, { stream, subject, from: next });
    if (stored === null) return commits;
    commits.push(commitOf(stored));
    next = stored.seq + 1;
    if (singly === READ_SINGLY_MAX) {
      const bulk = await readBulk(connection, manager, {
        stream,
        subject,
        from: next,
        most: most - commits.length,
      });
      for (const commit of bulk) commits.push(commit);
      next = (bulk.at(-1)?.position ?? stored.seq) + 1;
    }
  }
  return commits;
};

/** From the stream's leader: a consumer may run on a replica that is behind, so the last look is always this one. */
const firstFrom = (
  manager: JetStreamManager,
  { stream, subject, from }: Omit<Range, "most">,
): Promise<StoredMsg | null> => {
  // The server takes `next_by_subj` here since 2.7; the client's type lists it for direct gets only.
  const query = { seq: from, next_by_subj: subject } as unknown as MsgRequest;
  return manager.streams.getMessage(stream, query);
};

const readBulk = async (
  connection: NatsConnection,
  manager: JetStreamManager,
  { stream, subject, from, most }: Range,
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
    const consumer = jetstream(connection).consumers.getConsumerFromInfo(info);
    const wanted = Math.min(info.num_pending, most);
    const commits: Commit[] = [];
    while (commits.length < wanted) {
      const before = commits.length;
      const stalled = await readPage(consumer, Math.min(PAGE, wanted - before), commits);
      if (stalled || commits.length === before)
        throw new LogUnavailable("Read only a part of a history: the log stopped answering");
    }
    return commits;
  } finally {
    void manager.consumers.delete(stream, info.name).catch(() => undefined);
  }
};

/** Adds a page's commits as they come, and tells whether they stopped coming before the page was whole. */
const readPage = async (consumer: Consumer, size: number, commits: Commit[]): Promise<boolean> => {
  const messages = await consumer.fetch({ max_messages: size, expires: PAGE_MS });
  const whole = new AbortController();
  let stalled = false;
  const endWhenStalled = async () => {
    for (let seen = -1; seen !== commits.length; ) {
      seen = commits.length;
      await sleep(LIMITS.readRequestMs, whole.signal);
    }
    stalled = true;
    void messages.close();
  };
  endWhenStalled().catch(() => undefined);
  try {
    for await (const message of messages) {
      const { subject, seq, data } = message;
      const aggregate = parseCommitSubject(subject);
      commits.push(decodeCommit({ aggregate, position: seq, payload: data, carrier: message }));
    }
  } finally {
    whole.abort();
  }
  return stalled;
};

const commitOfDirect = (message: Msg): Commit => {
  const { subject, seq } = directPlace(message);
  const aggregate = parseCommitSubject(subject);
  return decodeCommit({ aggregate, position: seq, payload: message.data, carrier: message });
};

const commitOf = ({ subject, seq, data, header }: StoredMsg): Commit =>
  decodeCommit({
    aggregate: parseCommitSubject(subject),
    position: seq,
    payload: data,
    carrier: { headers: header },
  });
