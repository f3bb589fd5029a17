/** Archives on a NATS server: what was exported, held against all that may happen to files, and restored. */

import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Commit } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { newestNats, startNats, type TestNats } from "#test/setup/nats.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { type ExportOptions, exportArchive } from "./archive-export.ts";
import { ArchiveFault } from "./archive-line.ts";
import { type ArchiveManifest, MANIFEST, readManifest } from "./archive-manifest.ts";
import { archivedMessages } from "./archive-read.ts";
import { restoreArchive } from "./archive-restore.ts";
import { natsConnector } from "./connection.ts";
import { jetStreamEventLog } from "./jetstream-event-log.ts";
import { isServerFrom } from "./server-version.ts";
import { logStreamConfig } from "./streams.ts";
import { logStream } from "./subjects.ts";

const { version } = await newestNats();

const COMMITS = 300;
const SERVICE = "orders";

let nats: TestNats;
let connection: NatsConnection;
let folders: TemporaryFolder;
const closing: (() => Promise<unknown>)[] = [];

const logOn = (url: string): EventLog => {
  const connector = natsConnector({ url, name: "archive", clock: systemClock });
  closing.push(() => connector.close());
  return jetStreamEventLog({ service: SERVICE, connector, clock: systemClock });
};

const order = (n: number) => ({ type: "order", id: `o${n % 20}` });

const fill = async (log: EventLog) => {
  for (let n = 0; n < COMMITS; n++) {
    const last = await log.last(order(n));
    await log.append({
      aggregate: order(n),
      expectedPosition: last?.position ?? 0,
      expectedVersion: last?.version ?? 0,
      commandId: `c${n}`,
      at: Date.parse("2026-01-31T12:00:00Z") + n,
      events: [{ type: "Noted", data: { n, text: "grüße 😀" } }],
      trace: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
      metadata: { causationId: `cause-${n}`, actor: "jwt:ada" },
    });
  }
};

const all = async (log: EventLog): Promise<Commit[]> => {
  const commits: Commit[] = [];
  const stop = new AbortController();
  for await (const batch of log.tail({ after: 0, batchMax: 500, signal: stop.signal })) {
    commits.push(...batch);
    if (commits.at(-1)?.position === (await log.lastPosition())) break;
  }
  return commits;
};

let archive = 0;
const exported = async (over: Partial<ExportOptions> = {}) => {
  const folder = join(folders.path, `${++archive}`);
  const manifest = await exportArchive({
    connection,
    service: SERVICE,
    folder,
    compression: "gzip",
    clock: systemClock,
    partBytes: 40_000,
    ...over,
  });
  return { folder, manifest };
};

const verify = async (folder: string): Promise<number> => {
  const manifest = await readManifest(folder);
  let count = 0;
  for await (const _ of archivedMessages(folder, manifest)) count++;
  return count;
};

/** A server of its own, that holds nothing. */
const emptyServer = async () => {
  const server = await startNats();
  const other = await connect({ servers: server.url });
  closing.push(async () => {
    await other.close();
    await server.dispose();
  });
  return { connection: other, log: logOn(server.url), manager: await jetstreamManager(other) };
};

beforeAll(async () => {
  nats = await startNats();
  folders = await temporaryFolder("archive");
  connection = await connect({ servers: nats.url });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig(SERVICE));
  await fill(logOn(nats.url));
});
afterAll(async () => {
  for (const close of closing) await close();
  await connection?.close();
  await nats?.dispose();
  await folders?.remove();
});

describe("an export", () => {
  it.each(["gzip", "zstd"] as const)(
    "holds every commit in files that are right (%s)",
    async (compression) => {
      const { folder, manifest } = await exported({ compression });
      expect(manifest).toMatchObject({ first: 1, last: COMMITS, commits: COMMITS, compression });
      expect(manifest.parts.length).toBeGreaterThan(3);
      expect((await readdir(folder)).length).toBe(manifest.parts.length + 1);
      expect(await verify(folder)).toBe(COMMITS);
    },
  );

  it("is the same whatever the size of its files, and another one when a commit more is in it", async () => {
    const [one, two, three] = [
      await exported({ to: 200 }),
      await exported({ to: 200, partBytes: 1 }),
      await exported({ to: 201 }),
    ].map(({ manifest }) => manifest);
    expect(one?.chain).toBe(two?.chain);
    expect(two?.parts).toHaveLength(200);
    expect(three?.chain).not.toBe(one?.chain);
  });

  it("refuses positions that the log does not have, and a folder that holds an archive", async () => {
    await expect(exported({ to: COMMITS + 1 })).rejects.toThrow(`no position ${COMMITS + 1}: expected 1 to`);
    await expect(exported({ to: 0 })).rejects.toThrow(ArchiveFault);
    const { folder } = await exported({ to: 1 });
    await expect(exported({ folder })).rejects.toThrow("holds an archive");
  });

  it("refuses a log with gaps, and leaves no archive", async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ ...logStreamConfig("gappy"), deny_delete: false, deny_purge: false });
    for (let n = 0; n < 5; n++) await connection.request(`log.gappy.order.a${n}`, "[]");
    await manager.streams.deleteMessage(logStream("gappy"), 3);
    const folder = join(folders.path, "gappy");
    await expect(exported({ service: "gappy", folder })).rejects.toThrow("gap: position 3 is not there");
    await expect(readManifest(folder)).rejects.toThrow("interrupted");
  });

  it("tells how far it is", async () => {
    const told: number[] = [];
    await exported({ to: 10, onProgress: (position, range) => told.push(position / range.last) });
    expect(told).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  });
});

describe("a restore", () => {
  it("is the same log: commits at their positions, with all that stood with them", async () => {
    const { folder, manifest } = await exported();
    const target = await emptyServer();
    const told: number[] = [];
    const options = { connection: target.connection, folder, manifest };
    expect(await restoreArchive({ ...options, onProgress: (position) => told.push(position) })).toEqual({
      already: 0,
    });
    expect(await all(target.log)).toEqual(await all(logOn(nats.url)));
    expect(told.at(-1)).toBe(COMMITS);
    // Once more it changes nothing.
    expect(await restoreArchive(options)).toEqual({ already: COMMITS });
    // Exported again it is the same archive but for when the server took the commits.
    const again = await exported({ connection: target.connection });
    const lines = async ({ folder, manifest }: { folder: string; manifest: ArchiveManifest }) => {
      const found = [];
      for await (const { time: _, ...message } of archivedMessages(folder, manifest)) found.push(message);
      return found;
    };
    expect(await lines(again)).toEqual(await lines({ folder, manifest }));
    // A command that was repeated after it is recognised, and the next one goes on.
    const last = await target.log.last(order(0));
    const next = {
      aggregate: order(0),
      expectedPosition: last?.position ?? 0,
      expectedVersion: last?.version ?? 0,
      at: 0,
      events: [{ type: "Noted", data: {} }],
      trace: {},
    };
    expect(await target.log.append({ ...next, commandId: "new" })).toEqual({
      ok: true,
      value: { position: COMMITS + 1, duplicate: false },
    });
  });

  it("that was interrupted goes on where it was, wherever that is", async () => {
    const { folder, manifest } = await exported();
    const target = await emptyServer();
    for (const until of [1, 130]) {
      const interrupted = restoreArchive({
        connection: target.connection,
        folder,
        manifest,
        onProgress: (position) => {
          if (position >= until) throw new Error("interrupted");
        },
      });
      await expect(interrupted).rejects.toThrow("interrupted");
    }
    const { already } = await restoreArchive({ connection: target.connection, folder, manifest });
    expect(already).toBeGreaterThanOrEqual(130);
    expect(await all(target.log)).toEqual(await all(logOn(nats.url)));
  });

  // An older server begins every stream at its first position.
  it.skipIf(!isServerFrom(version, [2, 10]))(
    "begins where the archive does, when that is not the first position",
    async () => {
      const source = await emptyServer();
      await source.manager.streams.add({ ...logStreamConfig(SERVICE), first_seq: 1_000 });
      await fill(source.log);
      const { folder, manifest } = await exported({ connection: source.connection });
      expect(manifest).toMatchObject({ first: 1_000, last: 999 + COMMITS });
      const target = await emptyServer();
      await restoreArchive({ connection: target.connection, folder, manifest });
      expect(await all(target.log)).toEqual(await all(source.log));
    },
  );

  it("refuses a stream that holds anything else, and writes nothing to it", async () => {
    const { folder, manifest } = await exported();
    const target = await emptyServer();
    await target.manager.streams.add(logStreamConfig(SERVICE));
    await target.connection.request(`log.${SERVICE}.order.other`, "[]");
    const restore = () => restoreArchive({ connection: target.connection, folder, manifest });
    await expect(restore()).rejects.toThrow("something else at position 1");
    expect(await target.log.lastPosition()).toBe(1);
  });

  it("notices who writes meanwhile, and puts nothing behind it", async () => {
    const { folder, manifest } = await exported();
    const target = await emptyServer();
    let intruded = false;
    const restoring = restoreArchive({
      connection: target.connection,
      folder,
      manifest,
      onProgress: () => {
        if (!intruded) target.connection.publish(`log.${SERVICE}.order.intruder`, "[]");
        intruded = true;
      },
    });
    await expect(restoring).rejects.toThrow(/position \d+ was not taken/);
    const intruder = await target.manager.streams.getMessage(`log-${SERVICE}`, {
      last_by_subj: `log.${SERVICE}.order.intruder`,
    });
    expect(intruder?.seq).toBe(await target.log.lastPosition());
    await expect(restoreArchive({ connection: target.connection, folder, manifest })).rejects.toThrow(
      `something else at position ${intruder?.seq}`,
    );
  });
});

describe("an archive that is not as it was written is refused, with the place and the reason", () => {
  const unpacked = async (path: string) =>
    gunzipSync(await readFile(path))
      .toString()
      .split("\n");

  const cases: [string, (folder: string, manifest: ArchiveManifest) => Promise<unknown>, RegExp][] = [
    ["no manifest", (folder) => rm(join(folder, MANIFEST)), /interrupted/],
    ["a manifest that is cut", (folder) => truncate(join(folder, MANIFEST), 50), /not JSON/],
    [
      "a manifest that leaves a file out",
      (folder, manifest) =>
        writeFile(
          join(folder, MANIFEST),
          JSON.stringify({ ...manifest, parts: manifest.parts.filter((_, n) => n !== 1) }),
        ),
      /begins at \d+, expected \d+/,
    ],
    [
      "a manifest that names a file elsewhere",
      (folder, manifest) =>
        writeFile(
          join(folder, MANIFEST),
          JSON.stringify({ ...manifest, parts: manifest.parts.map((part) => ({ ...part, file: "../x" })) }),
        ),
      /"parts.0.file"/,
    ],
    [
      "a file that is missing",
      (folder) => rm(join(folder, "part-00002.jsonl.gz")),
      /position \d+ in "part-00002.jsonl.gz": the file cannot be read on/,
    ],
    [
      "a file that is cut",
      (folder) => truncate(join(folder, "part-00002.jsonl.gz"), 400),
      /position \d+ in "part-00002/,
    ],
    [
      "a file with something behind it",
      (folder) => appendFile(join(folder, "part-00001.jsonl.gz"), "x"),
      /position \d+ in "part-00001/,
    ],
    [
      "one character of one commit",
      async (folder) => {
        const path = join(folder, "part-00001.jsonl.gz");
        const lines = await unpacked(path);
        lines[6] = (lines[6] ?? "").replace('\\"n\\":6', '\\"n\\":7');
        await writeFile(path, gzipSync(lines.join("\n")));
      },
      /position 7 in "part-00001.jsonl.gz": its hash does not follow/,
    ],
    [
      "a commit taken out",
      async (folder) => {
        const path = join(folder, "part-00001.jsonl.gz");
        const lines = await unpacked(path);
        await writeFile(path, gzipSync(lines.toSpliced(3, 1).join("\n")));
      },
      /position 4 in "part-00001.jsonl.gz": its hash/,
    ],
    [
      "a file that unpacks to more than it held",
      async (folder) => {
        await writeFile(join(folder, "part-00001.jsonl.gz"), gzipSync("x".repeat(100_000)));
      },
      /position 1 in "part-00001.jsonl.gz": the file has more than/,
    ],
  ];

  it.each(cases)("%s", async (_, spoil, reason) => {
    const { folder, manifest } = await exported();
    await spoil(folder, manifest);
    await expect(verify(folder)).rejects.toThrow(reason);
    await expect(verify(folder)).rejects.toThrow(ArchiveFault);
  });

  it("before a restore writes anything", async () => {
    const { folder, manifest } = await exported();
    const last = manifest.parts.at(-1)?.file ?? "";
    await truncate(join(folder, last), 100);
    const target = await emptyServer();
    const restoring = restoreArchive({ connection: target.connection, folder, manifest });
    await expect(restoring).rejects.toThrow(ArchiveFault);
    expect((await target.manager.streams.names().next()).length).toBe(0);
  });
});
