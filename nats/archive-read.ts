/** Reads an archive from its beginning and holds each line, file and count to what it must be; memory stays that of one line. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { LIMITS } from "#shared/limits.ts";
import { ArchiveFault, chainStart, readLine, type StoredMessage } from "./archive-line.ts";
import type { ArchiveManifest, ArchivePart, Compression } from "./archive-manifest.ts";
import { logSubjects } from "./subjects.ts";

/**
 * Every message in order. The last one comes before the whole is known to be right, so who cannot undo what he does with
 * them reads all of it first.
 * @throws ArchiveFault with the position and the reason
 */
export async function* archivedMessages(
  folder: string,
  manifest: ArchiveManifest,
): AsyncGenerator<StoredMessage, undefined> {
  const subjects = logSubjects(manifest.service).slice(0, -1);
  let chain = chainStart(manifest.service);
  let position = manifest.first;
  for (const part of manifest.parts) {
    for await (const line of linesOf(folder, part, manifest.compression, () => position)) {
      const read = at(part, position, () => readLine(line, chain));
      const { message } = read;
      if (message.position !== position || position > part.last)
        throw faultAt(part, position, `it says that it is position ${message.position}`);
      if (!message.subject.startsWith(subjects))
        throw faultAt(part, position, `its subject "${message.subject}" is none of "${manifest.service}"`);
      chain = read.chain;
      position++;
      yield message;
    }
    if (position !== part.last + 1)
      throw faultAt(part, position, `it is not there: the file ends, expected ${part.last}`);
  }
  if (chain !== manifest.chain)
    throw new ArchiveFault("the manifest's chain is not that of its parts: expected the same hash");
}

const faultAt = ({ file }: ArchivePart, position: number, reason: string, cause?: unknown): ArchiveFault =>
  new ArchiveFault(`position ${position} in "${file}": ${reason}`, { cause });

const at = <T>(part: ArchivePart, position: number, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    throw faultAt(part, position, error.message, error);
  }
};

async function* linesOf(
  folder: string,
  part: ArchivePart,
  compression: Compression,
  position: () => number,
): AsyncGenerator<string, undefined> {
  const hash = createHash("sha256");
  const file = createReadStream(join(folder, part.file));
  file.on("data", (chunk) => hash.update(chunk));
  // What goes wrong in either shows where the last one is read.
  const opened = pipeline(file, decompressor(compression), () => undefined);
  let rest: Buffer = Buffer.alloc(0);
  let bytes = 0;
  try {
    for await (const chunk of opened as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > part.bytes) throw faultAt(part, position(), `the file has more than ${part.bytes} bytes`);
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
        yield rest.toString("utf8", from, end);
        from = end + 1;
      }
      rest = rest.subarray(from);
      if (rest.length > LIMITS.archiveLineBytes)
        throw faultAt(part, position(), `its line is longer than ${LIMITS.archiveLineBytes} bytes`);
    }
  } catch (error) {
    if (error instanceof ArchiveFault) throw error;
    throw faultAt(part, position(), `the file cannot be read on: ${reasonOf(error)}`, error);
  }
  if (rest.length > 0) throw faultAt(part, position(), "its line has no end");
  if (hash.digest("hex") !== part.sha256)
    throw faultAt(part, position(), "the file before it is not the one that was written: its sha256 differs");
}

/** @throws ArchiveFault where the runtime has no zstd */
const decompressor = (compression: Compression): Transform => {
  if (compression === "gzip") return zlib.createGunzip();
  if (!zlib.createZstdDecompress) throw new ArchiveFault("this runtime has no zstd");
  return zlib.createZstdDecompress();
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
