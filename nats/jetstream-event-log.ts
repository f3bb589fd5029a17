/** The EventLog on JetStream: one stream per service, one subject per aggregate, one message per commit. */
import { JetStreamApiError, type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Span } from "@opentelemetry/api";
import {
  type Append,
  type Appended,
  type AppendRefusal,
  type EventLog,
  LogUnavailable,
  lastOf,
} from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { type Clock, type Sleep, sleep as systemSleep } from "#shared/runtime/clock.ts";
import { injectTrace } from "#shared/telemetry/propagation.ts";
import { failSpan, inSpan } from "#shared/telemetry/span.ts";
import type { NatsConnector } from "./connection.ts";
import { type CommitMessage, encodeCommit } from "./envelope.ts";
import { positionAt } from "./position-at.ts";
import { aggregateReader, lastCommit } from "./read-aggregate.ts";
import { commitSubject, logStream } from "./subjects.ts";
import { tailStream } from "./tail-stream.ts";

/** Server's error: wrong last sequence, and which one it is. */
const ANOTHER_CAME_FIRST = 10071;
/**
 * Refusals of a cluster that decide nothing, because what is in process may be this very commit: its id is in process; a
 * write to its subject is in process; a new leader is not ready.
 */
const UNDECIDED: ReadonlySet<number> = new Set([10158, 10164, 10163]);
const ATTEMPT_MS = 500;
const RETRY_PAUSE_MS = 50;

export const jetStreamEventLog = ({
  service,
  connector,
  clock,
  sleep = systemSleep,
}: {
  service: string;
  connector: NatsConnector;
  clock: Clock;
  sleep?: Sleep;
}): EventLog => {
  const stream = logStream(service);
  const readAggregate = aggregateReader();
  let client: { connection: NatsConnection; jetStream: JetStreamClient } | undefined;

  const jetStreamClient = async (): Promise<JetStreamClient> => {
    const connection = await connector.get();
    if (client?.connection !== connection) client = { connection, jetStream: jetstream(connection) };
    return client.jetStream;
  };

  /** Gives up waiting at `until`; what it waited for goes on. */
  const waitUntil = async <T>(until: number, work: Promise<T>): Promise<T> => {
    const settled = new AbortController();
    const tooLate = sleep(Math.max(0, until - clock()), settled.signal).then(() => {
      throw new LogUnavailable(`The log of "${service}" did not answer in time`);
    });
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      settled.abort();
    }
  };

  /** The open connection is there at once: only waiting for a new one needs the bound, and its timer. */
  const clientUntil = async (until: number): Promise<JetStreamClient> =>
    client && client.connection === connector.standing()
      ? client.jetStream
      : waitUntil(until, jetStreamClient());

  const reading = async <T>(
    work: (connection: NatsConnection) => Promise<T>,
    until = Number.POSITIVE_INFINITY,
  ): Promise<T> => {
    const connection = await waitUntil(Math.min(clock() + LIMITS.readRequestMs, until), connector.get());
    try {
      return await (until === Number.POSITIVE_INFINITY
        ? work(connection)
        : waitUntil(until, work(connection)));
    } catch (cause) {
      if (cause instanceof LogUnavailable) throw cause;
      throw new LogUnavailable(`Cannot read the log of "${service}"`, { cause });
    }
  };

  const read: EventLog["read"] = async (
    aggregate,
    { after = 0, most = Number.POSITIVE_INFINITY, until } = {},
  ) => {
    const subject = commitSubject(service, aggregate);
    return reading(
      (connection) => readAggregate(connection, { stream, subject, from: after + 1, most }),
      until,
    );
  };

  const publish = async (
    append: Append,
    message: CommitMessage & { subject: string },
    until: number,
  ): Promise<Appended> => {
    const jetStream = await clientUntil(until);
    const { seq, duplicate } = await jetStream.publish(message.subject, message.payload, {
      headers: message.headers,
      msgID: messageId(append),
      expect: { lastSubjectSequence: append.expectedPosition },
      timeout: Math.max(1, until - clock()),
      retries: 0,
    });
    return { position: seq, duplicate };
  };

  /**
   * A newer single-replica server checks the sequence before it looks for duplicates, and no server remembers them for
   * ever: so it says "wrong sequence" also of a commit that it wrote itself and whose answer was lost.
   * @returns undefined when the log does not show what the refusal told of, as by a leader that is new
   */
  const afterRefusal = async (
    append: Append,
    refusal: JetStreamApiError,
    until: number,
  ): Promise<Result<Appended, AppendRefusal> | undefined> => {
    const later = await read(append.aggregate, { after: append.expectedPosition, until });
    const mine = later.find((commit) => commit.commandId === append.commandId);
    if (mine) return ok({ position: mine.position, duplicate: true });
    return (later.at(-1)?.position ?? 0) < lastTold(refusal, append) ? undefined : err({ code: "conflict" });
  };

  /** Undefined when it is not known whether the commit was written. */
  const afterFailure = async (
    commit: Append,
    error: unknown,
    deadline: number,
  ): Promise<Result<Appended, AppendRefusal> | undefined> => {
    if (!(error instanceof JetStreamApiError) || UNDECIDED.has(error.code)) return undefined;
    if (error.code !== ANOTHER_CAME_FIRST) return unavailable(service);
    return afterRefusal(commit, error, deadline).catch(() => unavailable(service));
  };

  const append: EventLog["append"] = (commit, until = Number.POSITIVE_INFINITY) =>
    inSpan(
      `publish ${stream}`,
      {
        kind: "producer",
        attributes: {
          "messaging.system": "nats",
          "messaging.operation.name": "publish",
          "messaging.operation.type": "send",
          "messaging.destination.name": stream,
          "messaging.message.id": commit.commandId,
        },
      },
      (span) => appendInSpan({ ...commit, trace: { ...commit.trace, ...injectTrace() } }, until, span),
    );

  const appendInSpan = async (
    commit: Append,
    until: number,
    span: Span,
  ): Promise<Result<Appended, AppendRefusal>> => {
    const message = { subject: commitSubject(service, commit.aggregate), ...encodeCommit(service, commit) };
    span.setAttribute("messaging.message.body.size", message.payload.length);
    if (message.payload.length > LIMITS.commitBytes) {
      const detail = `A commit has ${message.payload.length} bytes, expected at most ${LIMITS.commitBytes}`;
      return err({ code: "too_large", detail });
    }
    const deadline = Math.min(clock() + LIMITS.appendMs, until);
    for (;;) {
      try {
        return ok(await publish(commit, message, Math.min(clock() + ATTEMPT_MS, deadline)));
      } catch (error) {
        const decided = await afterFailure(commit, error, deadline);
        if (decided?.ok || decided?.error.code === "conflict") return decided;
        if (decided || clock() + RETRY_PAUSE_MS >= deadline) {
          failSpan(span, error);
          return unavailable(service);
        }
        // Whether it was written is not known; the same command can only be written once, so say it again.
        await sleep(RETRY_PAUSE_MS);
      }
    }
  };

  return {
    append,
    read,
    async last(aggregate, until) {
      const subject = commitSubject(service, aggregate);
      const commit = await reading((connection) => lastCommit(connection, { stream, subject }), until);
      return commit && lastOf(commit);
    },
    async *tail({ after, batchMax, signal }) {
      const connection = await connector.get();
      try {
        yield* tailStream(connection, { stream, after, batchMax, signal });
      } catch (cause) {
        if (cause instanceof LogUnavailable) throw cause;
        throw new LogUnavailable(`Cannot follow the log of "${service}"`, { cause });
      }
    },
    positionAt: (atMs) => reading((connection) => positionAt(connection, { stream, atMs })),
    lastPosition: () =>
      reading(async (connection) => {
        const manager = await jetstreamManager(connection, {
          checkAPI: false,
          timeout: LIMITS.readRequestMs,
        });
        return (await manager.streams.info(stream)).state.last_seq;
      }),
  };
};

/** Unlike any other commit's: the slash tells a tenant's id from an id and the first part of a command's. */
const messageId = ({ aggregate: { type, id }, commandId }: Append): string =>
  `${type}.${id.replace(".", "/")}.${commandId}`;

/** The subject's last position as a refusal tells it, where it is after the expected one; else 0. */
const lastTold = (refusal: JetStreamApiError, { expectedPosition }: Append): number => {
  const told = Number(refusal.message.match(/wrong last sequence: (\d+)/)?.[1] ?? 0);
  return told > expectedPosition ? told : 0;
};

/** What went wrong stands on the span: it names the server's inside, and a client gets this sentence. */
const unavailable = (service: string): Result<never, AppendRefusal> =>
  err({ code: "unavailable", detail: `The log of "${service}" did not take the commit` });
