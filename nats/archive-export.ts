/** Copies a log into files, in order and whole: the log itself stays as it is. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { DeliverPolicy, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { LIMITS } from "#shared/limits.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import { ArchiveFault, chainStart, type StoredMessage, writeLine } from "./archive-line.ts";
import {
  type ArchiveManifest,
  type ArchivePart,
  type Compression,
  MANIFEST,
  writeManifest,
} from "./archive-manifest.ts";
import { logStream } from "./subjects.ts";

/** What a restore adds to see that nothing comes between: where the message before stands, and which one it is. */
export const SEQUENCE_CHECK = "Nats-Expected-Last-Sequence";
export const MESSAGE_ID_CHECK = "Nats-Expected-Last-Msg-Id";
/** They say nothing of the commit. */
const OF_RESTORES: ReadonlySet<string> = new Set([SEQUENCE_CHECK, MESSAGE_ID_CHECK]);

/** Messages asked for ahead, as when a log is followed. */
const IN_FLIGHT = 256;

export interface ExportOptions {
  readonly connection: NatsConnection;
  readonly service: string;
  /** The last position to be copied; absent: the log's last. */
  readonly to?: number | undefined;
  /** Made when it is not there. */
  readonly folder: string;
  readonly compression: Compression;
  readonly clock: Clock;
  /** Bytes of lines after which a file ends. */
  readonly partBytes?: number;
  readonly onProgress?: (position: number, range: { first: number; last: number }) => void;
}

/**
 * @throws ArchiveFault for a folder that holds an archive, a position that the log does not have, and a log with gaps
 * @throws the client library's error when the server cannot be read
 */
export const exportArchive = async (options: ExportOptions): Promise<ArchiveManifest> => {
  const { connection, service, folder, compression, clock, onProgress } = options;
  const range = await rangeOf(options);
  await mkdir(folder, { recursive: true });
  if (await exists(join(folder, MANIFEST)))
    throw new ArchiveFault(`"${folder}" holds an archive: expected an empty folder`);

  const messages = storedMessages(connection, service, range);
  const parts: ArchivePart[] = [];
  let chain = chainStart(service);
  let position = range.first - 1;

  const writePart = async (): Promise<ArchivePart> => {
    const file = `part-${`${parts.length + 1}`.padStart(5, "0")}.jsonl.${EXTENSION[compression]}`;
    const first = position + 1;
    let bytes = 0;
    const lines = async function* () {
      while (position < range.last && bytes < (options.partBytes ?? LIMITS.archivePartBytes)) {
        const { value: message, done } = await messages.next();
        if (done) return;
        const written = writeLine(message, chain);
        const text = Buffer.from(`${written.line}\n`);
        chain = written.chain;
        position = message.position;
        bytes += text.length;
        onProgress?.(position, range);
        yield text;
      }
    };
    const hash = createHash("sha256");
    await pipeline(
      Readable.from(lines()),
      compressor(compression),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(join(folder, file), { flush: true }),
    );
    return { file, first, last: position, bytes, sha256: hash.digest("hex") };
  };

  try {
    while (position < range.last) parts.push(await writePart());
  } finally {
    await messages.return(undefined);
  }
  const manifest: ArchiveManifest = {
    format: "skerry-archive/1",
    service,
    exportedAt: rfc3339(clock()),
    ...range,
    commits: range.last - range.first + 1,
    compression,
    parts,
    chain,
  };
  await writeManifest(folder, manifest);
  return manifest;
};

const EXTENSION: Readonly<Record<Compression, string>> = { gzip: "gz", zstd: "zst" };

/** @throws ArchiveFault where the runtime has no zstd */
const compressor = (compression: Compression): Transform => {
  if (compression === "gzip") return zlib.createGzip();
  if (!zlib.createZstdCompress) throw new ArchiveFault("this runtime has no zstd: expected gzip");
  return zlib.createZstdCompress();
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const rangeOf = async ({
  connection,
  service,
  to,
}: ExportOptions): Promise<{ first: number; last: number }> => {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const { state } = await manager.streams.info(logStream(service));
  const last = to ?? state.last_seq;
  if (state.messages === 0) throw new ArchiveFault(`the log of "${service}" is empty`);
  if (last < state.first_seq || last > state.last_seq) {
    throw new ArchiveFault(
      `the log of "${service}" has no position ${last}: expected ${state.first_seq} to ${state.last_seq}`,
    );
  }
  return { first: state.first_seq, last };
};

async function* storedMessages(
  connection: NatsConnection,
  service: string,
  { first, last }: { first: number; last: number },
): AsyncGenerator<StoredMessage, undefined> {
  const consumer = await jetstream(connection).consumers.get(logStream(service), {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: first,
  });
  const messages = await consumer.consume({ max_messages: IN_FLIGHT });
  try {
    let expected = first;
    for await (const message of messages) {
      if (message.seq !== expected)
        throw new ArchiveFault(`the log of "${service}" has a gap: position ${expected} is not there`);
      yield storedMessage(message);
      if (expected++ === last) return;
    }
    throw new ArchiveFault(`reading the log of "${service}" ended before position ${expected}`);
  } finally {
    await messages.close();
    void consumer.delete().catch(() => undefined);
  }
}

const storedMessage = ({ seq, subject, headers, data, info }: JsMsg): StoredMessage => ({
  position: seq,
  subject,
  time: rfc3339(Math.floor(info.timestampNanos / 1_000_000)),
  headers: [...(headers ?? [])].flatMap(([name, values]) =>
    OF_RESTORES.has(name) ? [] : values.map((value) => [name, value] as const),
  ),
  payload: data,
});
