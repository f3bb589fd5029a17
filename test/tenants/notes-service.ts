/** The service of notes in the Workers runtime, beside a whole system whose gateway it is registered with. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { createBundler } from "#cli/bundle-workers.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { TestSystem } from "../setup/system.ts";

const NOTES = "notes";
const ENTRY = new URL("notes-worker.ts", import.meta.url).pathname;

const TABLES = [
  "CREATE TABLE checkpoints (name TEXT PRIMARY KEY NOT NULL, position INTEGER NOT NULL)",
  "CREATE TABLE notes (tenant TEXT NOT NULL, note_id TEXT NOT NULL, author TEXT NOT NULL, text TEXT, PRIMARY KEY (tenant, note_id))",
];

export interface NotesService {
  /** Its own address, past the gateway. */
  readonly url: string;
  close(): Promise<void>;
}

const makeStream = async (natsUrl: string) => {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  await manager.streams.add(logStreamConfig(NOTES));
  await connection.close();
};

/** Asking for it wakes what follows the log, as the platform's clock does where it is deployed. */
const ready = async (url: string) => {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/readyz`);
    await answer.body?.cancel();
    if (answer.ok) return;
  }
  throw new Error("The service of notes did not become ready");
};

export const startNotesService = async (system: TestSystem): Promise<NotesService> => {
  await makeStream(system.nats.url);
  const keys = await (await fetch(`${system.url}/.well-known/jwks.json`)).text();
  const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
  const bundler = await createBundler({ notes: ENTRY });
  const { notes: contents = "" } = await bundler.build();
  await bundler.close();
  const actor = (className: string) => ({ className, useSQLite: true });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [
        {
          name: NOTES,
          modules: [{ type: "ESModule", path: "notes.mjs", contents }],
          serviceBindings: { MONITOR: () => Response.json({}) },
          bindings: { NATS_URL: system.nats.url, IDENTITY_KEYS: keys },
          d1Databases: { DB: NOTES },
          durableObjects: {
            COMMANDS: actor("NoteCommander"),
            PROJECTORS: actor("NoteProjector"),
            PROCESSORS: actor("NoteProcessor"),
            SUBJECT_KEYS: actor("NoteSubjectKeeper"),
          },
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
        },
      ],
    }),
  );
  const url = (await miniflare.ready).origin;
  const database = await miniflare.getD1Database("DB", NOTES);
  for (const table of TABLES) await database.exec(table);
  await ready(url);
  return { url, close: () => miniflare.dispose() };
};
