/** `npx skerry archive …`: a log as files, held to be whole, and put back into an empty stream. */
import { resolve } from "node:path";
import type { NatsConnection } from "@nats-io/nats-core";
import { Command } from "commander";
import { exportArchive } from "#nats/archive-export.ts";
import { ArchiveFault } from "#nats/archive-line.ts";
import { type ArchiveManifest, readManifest } from "#nats/archive-manifest.ts";
import { archivedMessages } from "#nats/archive-read.ts";
import { restoreArchive } from "#nats/archive-restore.ts";
import { natsServerAddress, openConnection } from "#nats/open-connection.ts";
import { LOGS } from "#nats/streams.ts";
import { inboxPrefix } from "#nats/subjects.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { type ArchiveProgress, archiveProgress } from "./archive-progress.ts";
import { answer, lines, type Session, wholeNumber, withJson } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly json?: boolean;
}

const CONNECT_MS = 5_000;

export const archiveCommands = ({ terminal }: Session): Command => {
  const archive = new Command("archive").summary("logs as files: export, verify, restore");
  archive.description(
    "Copies a service's log into files, and files into an empty stream. The log itself forgets nothing.",
  );
  const progress = (title: string) => archiveProgress(title, terminal.err, systemClock);

  withJson(archive.command("export <service>"))
    .summary("copy a log of the server of NATS_URL into files")
    .description("Reads as the service's own user, or as any that may read its log.")
    .requiredOption("--out <folder>", "where the files come to lie; made when it is not there")
    .option("--to <position>", "the last position to be copied; the log's last when absent")
    .option("--zstd", "zstd in the place of gzip")
    .action(async (service: string, options: Options & { out: string; to?: string; zstd?: boolean }) => {
      const to = options.to === undefined ? undefined : wholeNumber("--to", options.to, 1, 999_999_999);
      const shown = progress(`exporting ${service}`);
      const manifest = await onServer(
        terminal,
        { url: terminal.env.NATS_URL, prefix: inboxPrefix(service) },
        (connection) =>
          ended(shown, () =>
            exportArchive({
              connection,
              service,
              to,
              folder: resolve(terminal.cwd, options.out),
              compression: options.zstd ? "zstd" : "gzip",
              clock: systemClock,
              onProgress: shown.at,
            }),
          ),
      );
      answer(terminal, options, { json: manifest, text: lines(`${told(manifest)}: exported`) });
    });

  withJson(archive.command("verify <folder>"))
    .summary("hold an archive to what it says of itself; asks no server")
    .option("--chain <hash>", "and to be the one of this hash, as the export told it")
    .action(async (folder: string, options: Options & { chain?: string }) => {
      const manifest = await verified(resolve(terminal.cwd, folder), progress("verifying"));
      if (options.chain !== undefined && options.chain !== manifest.chain) {
        throw new CliFailure(
          `the archive is another one: its chain is ${manifest.chain}, expected ${options.chain}`,
        );
      }
      answer(terminal, options, { json: manifest, text: lines(`${told(manifest)}: as it was written`) });
    });

  withJson(archive.command("restore <folder>"))
    .summary("put an archive into an empty stream, each commit at its position")
    .description(
      "Verifies all of it first. Nobody else may write to the stream meanwhile. What was interrupted goes on when it is asked for again.",
    )
    .requiredOption("--into <url>", "the NATS server; as a user that may make the stream and write to it")
    .action(async (folder: string, options: Options & { into: string }) => {
      const path = resolve(terminal.cwd, folder);
      const manifest = await faults(() => readManifest(path));
      const shown = progress(`restoring ${manifest.service}`);
      const { already } = await onServer(terminal, { url: options.into }, (connection) =>
        ended(shown, () =>
          restoreArchive({
            connection,
            folder: path,
            manifest,
            onProgress: (position) => shown.at(position, manifest),
          }),
        ),
      );
      const before = already > 0 ? `, ${already} of them before` : "";
      answer(terminal, options, {
        json: { ...manifest, already },
        text: lines(`${told(manifest)}: restored${before}`),
      });
    });
  return archive;
};

const told = ({ service, first, last, chain }: ArchiveManifest): string =>
  `${service} ${first} to ${last}, chain ${chain}`;

const verified = async (folder: string, shown: ArchiveProgress): Promise<ArchiveManifest> =>
  faults(async () => {
    const manifest = await readManifest(folder);
    await ended(shown, async () => {
      for await (const { position } of archivedMessages(folder, manifest)) shown.at(position, manifest);
    });
    return manifest;
  });

const ended = async <T>(shown: ArchiveProgress, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } finally {
    shown.end();
  }
};

const faults = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArchiveFault) throw new CliFailure(`cannot use the archive: ${error.message}`);
    throw error;
  }
};

/** @throws CliFailure that names the address without its credentials */
const onServer = async <T>(
  { env }: Terminal,
  { url, prefix }: { url: string | undefined; prefix?: string },
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> => {
  if (!url) {
    throw new CliFailure(
      "NATS_URL is not set: expected an address like nats://orders:password@host:4222",
      EXIT.usage,
    );
  }
  const { servers } = natsServerAddress(url);
  const connection = await openConnection({
    servers: url,
    creds: env.NATS_CREDS,
    ca: env.NATS_CA,
    ...(prefix !== undefined && { inboxPrefix: prefix }),
    name: "skerry archive",
    reconnect: false,
    timeout: CONNECT_MS,
  }).catch((error: unknown) => {
    throw new CliFailure(`cannot reach the NATS server "${servers}": ${reasonOf(error)}`, EXIT.unreachable);
  });
  try {
    return await work(connection);
  } catch (error) {
    if (/stream not found/i.test(String(error))) {
      const message = `there is no such log on the NATS server "${servers}": expected one as those of ${LOGS.join(", ")}`;
      throw new CliFailure(message, EXIT.notFound);
    }
    const denied = /permissions violation/i.test(String(error));
    const reason = `cannot do this on the NATS server "${servers}": ${reasonOf(error)}`;
    throw new CliFailure(reason, denied ? EXIT.notAllowed : EXIT.failed);
  } finally {
    await connection.close();
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
