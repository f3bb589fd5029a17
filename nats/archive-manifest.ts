/** What an archive says of itself: which log, from where to where, in which files. Written last, so an archive without one is none. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ArchiveFault } from "./archive-line.ts";

export const MANIFEST = "manifest.json";

const position = z.int().min(1);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const partSchema = z.strictObject({
  file: z.string().regex(/^part-\d{5,}\.jsonl\.(gz|zst)$/),
  first: position,
  last: position,
  /** Of its lines, before compression. */
  bytes: z.int().min(1),
  /** Of the file as it lies there. */
  sha256: hash,
});

const manifestSchema = z.strictObject({
  format: z.literal("skerry-archive/1"),
  service: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  exportedAt: z.iso.datetime(),
  first: position,
  last: position,
  commits: z.int().min(1),
  compression: z.enum(["gzip", "zstd"]),
  parts: z.array(partSchema).min(1),
  /** Of the last line, over everything before it: by this alone one knows whether two archives are the same. */
  chain: hash,
});

export type ArchivePart = z.infer<typeof partSchema>;
export type ArchiveManifest = z.infer<typeof manifestSchema>;
export type Compression = ArchiveManifest["compression"];

/** @throws ArchiveFault for a folder that holds no whole archive */
export const readManifest = async (folder: string): Promise<ArchiveManifest> => {
  const text = await readFile(join(folder, MANIFEST), "utf8").catch((cause: unknown) => {
    throw new ArchiveFault(
      `"${folder}" has no ${MANIFEST}: it is no archive, or its export was interrupted`,
      {
        cause,
      },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ArchiveFault(`the ${MANIFEST} is not JSON`, { cause });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ArchiveFault(`the ${MANIFEST} is not right: "${issue?.path.join(".")}" ${issue?.message}`);
  }
  assertWithoutGaps(parsed.data);
  return parsed.data;
};

const assertWithoutGaps = ({ first, last, commits, parts }: ArchiveManifest): void => {
  let next = first;
  for (const part of parts) {
    if (part.first !== next || part.last < part.first)
      throw new ArchiveFault(
        `the ${MANIFEST} is not right: "${part.file}" begins at ${part.first}, expected ${next}`,
      );
    next = part.last + 1;
  }
  if (last !== next - 1 || commits !== last - first + 1)
    throw new ArchiveFault(`the ${MANIFEST} is not right: its parts end at ${next - 1}, expected ${last}`);
};

/** All at once, or not at all. */
export const writeManifest = async (folder: string, manifest: ArchiveManifest): Promise<void> => {
  const path = join(folder, MANIFEST);
  await writeFile(`${path}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  await rename(`${path}.tmp`, path);
};
