/** Puts an archive into an empty stream: the same messages at the same positions. What was interrupted goes on. */
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { headers as createHeaders, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import { LIMITS } from "#shared/limits.ts";
import { MESSAGE_ID_CHECK, SEQUENCE_CHECK } from "./archive-export.ts";
import { ArchiveFault, type StoredMessage } from "./archive-line.ts";
import type { ArchiveManifest } from "./archive-manifest.ts";
import { archivedMessages } from "./archive-read.ts";
import { logStreamConfig } from "./streams.ts";
import { logStream } from "./subjects.ts";

const STREAM_NOT_FOUND = 10059;
/** Messages on their way at once; they arrive in their order. */
const IN_FLIGHT = 128;
/** Holds only where all of an aggregate's history is there. */
const SUBJECT_CHECK = "Nats-Expected-Last-Subject-Sequence";
const MESSAGE_ID = "Nats-Msg-Id";
const OWN_CHECKS: ReadonlySet<string> = new Set([SUBJECT_CHECK, SEQUENCE_CHECK, MESSAGE_ID_CHECK]);

export interface RestoreOptions {
  readonly connection: NatsConnection;
  readonly folder: string;
  readonly manifest: ArchiveManifest;
  readonly onProgress?: (position: number) => void;
}

/**
 * Nobody else may write to the stream meanwhile; who does is noticed, and nothing is written after it.
 * @returns how many commits were there already
 * @throws ArchiveFault for an archive that is not right, before anything is written; and for a stream that holds anything else
 */
export const restoreArchive = async (options: RestoreOptions): Promise<{ readonly already: number }> => {
  const { connection, folder, manifest } = options;
  for await (const _ of archivedMessages(folder, manifest));
  const manager = await jetstreamManager(connection);
  const done = await preparedUntil(manager, options);
  await publishAfter(jetstream(connection), done, options);
  return { already: done - manifest.first + 1 };
};

/** The last position that stands in the stream already. */
const preparedUntil = async (manager: JetStreamManager, options: RestoreOptions): Promise<number> => {
  const { service, first, last } = options.manifest;
  const name = logStream(service);
  const found = await manager.streams.info(name).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  });
  if (!found) {
    await manager.streams.add({ ...logStreamConfig(service), ...(first > 1 && { first_seq: first }) });
    return first - 1;
  }
  const { first_seq, last_seq, messages } = found.state;
  const begins = messages === 0 ? last_seq + 1 : first_seq;
  if (begins !== first || last_seq > last || messages !== last_seq - first + 1) {
    throw new ArchiveFault(
      `the stream "${name}" holds positions ${first_seq} to ${last_seq}: expected none, or a part of ${first} to ${last} that was restored before`,
    );
  }
  await assertSame(manager, last_seq, options);
  return last_seq;
};

/** The first and the last that stand there: what is between was written by who checked that nothing came between. */
const assertSame = async (
  manager: JetStreamManager,
  lastSeq: number,
  { folder, manifest }: RestoreOptions,
): Promise<void> => {
  const name = logStream(manifest.service);
  for await (const message of archivedMessages(folder, manifest)) {
    const { position } = message;
    if (position > lastSeq) return;
    if (position !== manifest.first && position !== lastSeq) continue;
    const stored = await manager.streams.getMessage(name, { seq: position });
    const same =
      stored?.subject === message.subject &&
      Buffer.compare(stored.data, message.payload) === 0 &&
      sameHeaders(stored.header, message);
    if (!same)
      throw new ArchiveFault(
        `the stream "${name}" holds something else at position ${position}: expected none`,
      );
  }
};

const sameHeaders = (stored: MsgHdrs, { headers }: StoredMessage): boolean => {
  const archived = headers.filter(([name]) => name !== SUBJECT_CHECK).map((header) => header.join(": "));
  const found = [...stored].flatMap(([name, values]) =>
    OWN_CHECKS.has(name) ? [] : values.map((value) => `${name}: ${value}`),
  );
  return archived.length === found.length && archived.every((header) => found.includes(header));
};

const publishAfter = async (
  client: JetStreamClient,
  done: number,
  { folder, manifest, onProgress }: RestoreOptions,
): Promise<void> => {
  const underWay: Promise<void>[] = [];
  let before: StoredMessage | undefined;
  for await (const message of archivedMessages(folder, manifest)) {
    const previous = before;
    before = message;
    if (message.position <= done) continue;
    underWay.push(publish(client, message, previous, manifest));
    // Handled when its turn comes: those behind a refused one are refused as well.
    underWay.at(-1)?.catch(() => undefined);
    if (underWay.length < IN_FLIGHT) continue;
    await underWay.shift();
    onProgress?.(message.position - underWay.length);
  }
  for (const each of underWay) await each;
  onProgress?.(manifest.last);
};

const publish = async (
  client: JetStreamClient,
  message: StoredMessage,
  previous: StoredMessage | undefined,
  { service, first }: ArchiveManifest,
): Promise<void> => {
  const headers = createHeaders();
  for (const [name, value] of message.headers) {
    const refersToWhatIsNotThere = name === SUBJECT_CHECK && Number(value) > 0 && Number(value) < first;
    if (!refersToWhatIsNotThere) headers.append(name, value);
  }
  headers.set(SEQUENCE_CHECK, `${message.position - 1}`);
  const [, previousId] = previous?.headers.find(([name]) => name === MESSAGE_ID) ?? [];
  // Somebody else's message at that place has another id, or none.
  if (previousId !== undefined) headers.set(MESSAGE_ID_CHECK, previousId);
  const acknowledged = await client
    .publish(message.subject, message.payload, { headers, timeout: LIMITS.archiveRequestMs, retries: 0 })
    .catch((cause: unknown) => {
      throw new ArchiveFault(
        `position ${message.position} was not taken by "${logStream(service)}" (${cause instanceof Error ? cause.message : cause}): the same command goes on from where it is`,
        { cause },
      );
    });
  if (acknowledged.seq !== message.position) {
    throw new ArchiveFault(
      `position ${message.position} came to stand at ${acknowledged.seq} in "${acknowledged.stream}": expected that nobody else writes`,
    );
  }
};
