/** One message of a log as a line of an archive: everything that stands in the stream of it, and a hash of all lines up to it. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { parseCommitSubject } from "./subjects.ts";

/** A message as it stands in a stream. */
export interface StoredMessage {
  readonly position: number;
  readonly subject: string;
  /** When the server took it, RFC 3339; a restored one has another. */
  readonly time: string;
  /** In their order; one name may stand there several times. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payload: Uint8Array;
}

/** What is not as it was written, and where. */
export class ArchiveFault extends Error {
  override readonly name = "ArchiveFault";
}

const lineSchema = z.strictObject({
  position: z.int().min(1),
  subject: z.string().min(1).max(1_024),
  time: z.string().max(64),
  headers: z.array(z.tuple([z.string().min(1), z.string()])).max(256),
  /** The payload where it is UTF-8. */
  text: z.string().optional(),
  /** The payload in base64 where it is not. */
  base64: z.base64().optional(),
});

const HASH = /^[0-9a-f]{64}$/;
const encoder = new TextEncoder();

/** What the first line's hash goes on from; so the lines of one service are none of another's. */
export const chainStart = (service: string): string => hashOf(`skerry-archive/1 ${service}`);

const hashOf = (...texts: readonly string[]): string => {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest("hex");
};

/** @returns the line without its end, and the hash that the next one goes on from */
export const writeLine = (message: StoredMessage, chain: string): { line: string; chain: string } => {
  const { position, subject, time, headers, payload } = message;
  const json = JSON.stringify({ position, subject, time, headers, ...payloadFields(payload) });
  const next = hashOf(chain, json);
  return { line: `${next} ${json}`, chain: next };
};

const payloadFields = (payload: Uint8Array): { text: string } | { base64: string } => {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload) };
  } catch {
    return { base64: Buffer.from(payload).toString("base64") };
  }
};

/** @throws ArchiveFault for what {@link writeLine} would not have written after `chain` */
export const readLine = (line: string, chain: string): { message: StoredMessage; chain: string } => {
  const hash = line.slice(0, 64);
  const json = line.slice(65);
  if (!HASH.test(hash) || line[64] !== " " || hashOf(chain, json) !== hash)
    throw new ArchiveFault("its hash does not follow from the lines before");
  return { message: parseLine(json), chain: hash };
};

const parseLine = (json: string): StoredMessage => {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ArchiveFault("it is not JSON");
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ArchiveFault(`"${issue?.path.join(".")}" ${issue?.message}`);
  }
  const { text, base64, ...rest } = parsed.data;
  if ((text === undefined) === (base64 === undefined))
    throw new ArchiveFault('expected either "text" or "base64"');
  assertSubject(rest.subject);
  const payload = text === undefined ? Buffer.from(base64 ?? "", "base64") : encoder.encode(text);
  if (payload.length > LIMITS.archivePayloadBytes)
    throw new ArchiveFault(`it has ${payload.length} bytes, expected at most ${LIMITS.archivePayloadBytes}`);
  return { ...rest, payload: new Uint8Array(payload) };
};

const assertSubject = (subject: string): void => {
  try {
    parseCommitSubject(subject);
  } catch (error) {
    throw new ArchiveFault(error instanceof Error ? error.message : String(error));
  }
};
