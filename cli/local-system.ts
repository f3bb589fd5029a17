/** The whole system in one process: the built workers in Miniflare on a direct socket, over a NATS server that runs already. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { applyStreams } from "#nats/apply-streams.ts";
import { applyMigrations } from "./apply-migrations.ts";
import { CliFailure } from "./failure.ts";
import { ownerMark } from "./owned-processes.ts";
import { keepSignalListeners } from "./signal-listeners.ts";
import { workerOptions } from "./worker-options.ts";
import { GATEWAY, presentWorkers, ROOT, type WorkerEntry } from "./workers.ts";

export interface LocalSystemOptions {
  /** The gateway's port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** The workers' storage lives in `<dataDir>/workers`. */
  readonly dataDir: string;
  readonly natsUrl: string;
  /** Variables of every worker, stronger than those of its `wrangler.toml`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of single workers, by worker name; stronger than `env`. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface LocalSystem {
  /** The gateway's address, without a slash at the end. */
  readonly url: string;
  /** Addresses of the workers that have a socket of their own, by worker name. */
  readonly services: Readonly<Record<string, string>>;
  /** Builds everything again and serves the new workers on the same addresses; storage stays. @throws when a worker does not build */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** How long the services may take to become ready: they connect to NATS and replay what they missed. */
const READY_MS = 30_000;
const READY_POLL_MS = 50;

/** @param ports of the workers with a socket of their own; a free one where it does not say */
const buildOptions = async (
  workers: readonly WorkerEntry[],
  options: LocalSystemOptions,
  ports: Readonly<Record<string, number>>,
) => {
  const present = new Set(workers.map(({ name }) => name));
  const shared = { NATS_URL: options.natsUrl, ...options.env };
  const built = await Promise.all(
    workers.map((worker) =>
      workerOptions(worker, {
        vars: { ...shared, ...options.overrides?.[worker.name] },
        present,
        ...(worker.ownSocket ? { socketPort: ports[worker.name] ?? 0 } : {}),
      }),
    ),
  );
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    // Asking Cloudflare's servers for an example of `request.cf` would make every start wait for the network.
    cf: false,
    log: new Log(LogLevel.WARN),
    unsafeRuntimeEnv: ownerMark(options.dataDir),
    resourcePersistencePath: join(options.dataDir, "workers"),
    workers: built,
  });
};

const migrate = (miniflare: Miniflare, workers: readonly WorkerEntry[]) =>
  Promise.all(
    workers.map(async ({ name, migrations }) => {
      if (!migrations) return;
      await applyMigrations(await miniflare.getD1Database("DB", name), join(ROOT, migrations));
    }),
  );

/** Asks until the gateway says 200; asking is also what wakes the services' Actors. */
const waitUntilReady = async (url: string, boundMs: number): Promise<void> => {
  const end = Date.now() + boundMs;
  let last = "no answer";
  while (Date.now() < end) {
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      const body = await answer.text();
      if (answer.status === 200) return;
      last = `${answer.status} ${body}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await delay(READY_POLL_MS);
  }
  throw new CliFailure(
    `the system did not become ready in ${boundMs / 1000} s; "${url}/readyz" last said: ${last}`,
  );
};

const addressesOf = async (miniflare: Miniflare, workers: readonly WorkerEntry[]) => {
  const own = workers.filter((worker) => worker.ownSocket);
  const pairs = own.map(
    async ({ name }) => [name, (await miniflare.unsafeGetDirectURL(name)).origin] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
};

/**
 * Starts every worker that stands in the tree, applies migrations and streams, and waits until all is ready.
 * @throws CliFailure when something does not become ready; nothing is left running then
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  const workers = presentWorkers();
  const [initial] = await Promise.all([
    buildOptions(workers, options, { [GATEWAY]: options.port }),
    applyStreams({ natsUrl: options.natsUrl }),
  ]);
  const restoreListeners = keepSignalListeners();
  const miniflare = new Miniflare(initial);
  try {
    await miniflare.ready;
    restoreListeners();
    await migrate(miniflare, workers);
    const services = await addressesOf(miniflare, workers);
    const url = services[GATEWAY];
    if (url === undefined) throw new CliFailure(`cannot start without the worker "${GATEWAY}"`);
    await waitUntilReady(url, READY_MS);
    const ports = Object.fromEntries(
      Object.entries(services).map(([name, address]) => [name, Number(new URL(address).port)]),
    );
    return {
      url,
      services,
      reload: async () => {
        await miniflare.setOptions(await buildOptions(workers, options, ports));
        await migrate(miniflare, workers);
        await waitUntilReady(url, READY_MS);
      },
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    restoreListeners();
    await miniflare.dispose();
    throw error;
  }
};
