/** The built workers and, beside them in the same process, bare ones to compare with; over a NATS server with an empty store. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { applyMigrations } from "#cli/apply-migrations.ts";
import { createBundler } from "#cli/bundle-workers.ts";
import { newIdentityKey } from "#cli/identity-keys.ts";
import { type NatsServer, startNatsServer } from "#cli/nats-server.ts";
import { keepSignalListeners } from "#cli/signal-listeners.ts";
import { workerOptions } from "#cli/worker-options.ts";
import { CONTROL, GATEWAY, ROOT, WORKERS } from "#cli/workers.ts";
import { applyStreams } from "#nats/apply-streams.ts";
import { OPERATE_SCOPE } from "#shared/cqrs/subscription-access.ts";
import { type IdentityJwk, publicJwks } from "#shared/identity/identity-keys.ts";
import { longIdentity } from "./long-identity.ts";

/** A worker that is in the system for comparison only. */
export interface BenchWorker {
  readonly name: string;
  /** A file of `test/bench/workers/` without its ending, or the name of one of the system's workers. */
  readonly like: string;
  readonly options: Partial<V4WorkerOptions>;
  /** Migrations for its database `DB`. */
  readonly migrations?: string;
}

/** What measurements are set up with. */
export interface BenchGround {
  /** A server of its own for each caller. */
  startNats(): Promise<NatsServer>;
  startSystem(options: { natsUrl: string; beside?: readonly BenchWorker[] }): Promise<BenchSystem>;
}

export interface BenchSystem {
  /** Origin of a worker's own socket; every worker has one. */
  url(worker: string): Promise<string>;
  /** Lets into services who comes past the gateway, for as long as anything is measured. */
  readonly identity: Readonly<Record<string, string>>;
  /** The same for who operates them. */
  readonly operator: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const BENCH_WORKERS = [
  "pass-through",
  "least-gateway",
  "ok",
  "bare-orders",
  "bare-catch-up",
  "fixed-registry",
];

/** Stands in the control plane's place under its name, so that nothing changes while something is measured. */
const FIXED_REGISTRY: BenchWorker = { name: CONTROL, like: "fixed-registry", options: {} };

const SYSTEM = WORKERS.filter(({ name }) => name !== CONTROL);

const buildAll = async (): Promise<Readonly<Record<string, string>>> => {
  const own = BENCH_WORKERS.map((name) => [name, join(import.meta.dirname, "workers", `${name}.ts`)]);
  const system = SYSTEM.map(({ name, main }) => [name, join(ROOT, main)]);
  const bundler = await createBundler(Object.fromEntries([...own, ...system]));
  try {
    return await bundler.build();
  } finally {
    await bundler.close();
  }
};

/** @param options.folder for everything that is stored; removing it is the caller's */
export const benchGround = async ({
  folder,
  natsBinary,
}: {
  folder: string;
  natsBinary: string;
}): Promise<BenchGround> => {
  const bundles = await buildAll();
  const newFolder = (kind: string) => mkdtemp(join(folder, `${kind}-`));
  return {
    startNats: async () => startNatsServer({ binary: natsBinary, dataDir: await newFolder("nats") }),
    async startSystem({ natsUrl, beside = [] }) {
      await applyStreams({ natsUrl });
      const key = newIdentityKey();
      const varsOf = (worker: string) => ({ NATS_URL: natsUrl, ...identityVars(worker, key) });
      const system = await serve(await newFolder("workers"), {
        beside,
        workers: [
          ...SYSTEM.map((worker) =>
            workerOptions(worker, {
              contents: bundles[worker.name] ?? "",
              vars: varsOf(worker.name),
              socketPort: 0,
            }),
          ),
          ...[FIXED_REGISTRY, ...beside].map((worker) => besideOptions(worker, bundles, varsOf(worker.like))),
        ],
      });
      return {
        ...system,
        identity: await longIdentity(key),
        operator: await longIdentity(key, OPERATE_SCOPE),
      };
    },
  };
};

/** Who calls is told, and asked for, as in every system. */
const identityVars = (worker: string, key: IdentityJwk): Readonly<Record<string, string>> => {
  if (worker === GATEWAY) return { IDENTITY_PRIVATE_KEYS: JSON.stringify({ keys: [key] }) };
  const isService = SYSTEM.some(({ name, registers }) => name === worker && registers);
  return isService ? { IDENTITY_KEYS: JSON.stringify(publicJwks([key])) } : {};
};

const besideOptions = (
  { name, like, options }: BenchWorker,
  bundles: Readonly<Record<string, string>>,
  vars: Readonly<Record<string, string>>,
): V4WorkerOptions => ({
  compatibilityDate: "2026-10-01",
  compatibilityFlags: ["nodejs_compat"],
  ...options,
  bindings: { ...vars, ...(options.bindings as Readonly<Record<string, string>> | undefined) },
  name,
  modules: [{ type: "ESModule", path: `${name}.mjs`, contents: bundles[like] ?? "" }],
  unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
});

const serve = async (
  storage: string,
  { workers, beside }: { workers: V4WorkerOptions[]; beside: readonly BenchWorker[] },
): Promise<Omit<BenchSystem, "identity" | "operator">> => {
  const removeNewListeners = keepSignalListeners();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: storage,
      workers,
    }),
  );
  try {
    await miniflare.ready.finally(removeNewListeners);
    for (const { name, migrations } of [...SYSTEM, ...beside]) {
      if (migrations)
        await applyMigrations(await miniflare.getD1Database("DB", name), join(ROOT, migrations));
    }
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
  return {
    url: async (worker) => (await miniflare.unsafeGetDirectURL(worker)).origin,
    close: () => miniflare.dispose(),
  };
};
