/** The whole system in one process: the built workers in Miniflare on a direct socket, over a NATS server that runs already. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { applyStreams } from "#nats/apply-streams.ts";
import { createBundler } from "./bundle-workers.ts";
import { controlClient } from "./control-client.ts";
import { type ControlSecrets, controlSecrets } from "./control-secrets.ts";
import { CliFailure } from "./failure.ts";
import { type IdentityKeys, identityKeys } from "./identity-keys.ts";
import type { OwnNatsAccess } from "./nats-access.ts";
import { ownerMark } from "./owned-processes.ts";
import { registerWorkers } from "./register-workers.ts";
import { keepSignalListeners } from "./signal-listeners.ts";
import { waitUntilReady } from "./wait-until-ready.ts";
import { workerSecrets } from "./worker-secrets.ts";
import { GATEWAY, ROOT, WORKERS, type WorkerEntry } from "./workers.ts";

export interface LocalSystemOptions {
  /** The gateway's port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Holds the workers' storage in `workers/`, the control plane's secrets in `control.json`, the identity keys in `identity.json`. */
  readonly dataDir: string;
  readonly natsUrl: string;
  readonly natsAccess?: OwnNatsAccess;
  /** Variables of every worker, stronger than those of its `wrangler.toml`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of single workers, by worker name; stronger than `env`. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Workers that get a socket of their own, beside those that always have one. */
  readonly sockets?: readonly string[];
  /** Ends a start that waits for the workers to become ready. */
  readonly signal?: AbortSignal;
}

export interface LocalSystem {
  /** The gateway's address, without a slash at the end. */
  readonly url: string;
  /** Addresses of the workers that have a socket of their own, by worker name. */
  readonly services: Readonly<Record<string, string>>;
  /** A bearer token of the role admin. */
  readonly controlToken: string;
  /** Builds everything again and serves the new workers on the same addresses; storage stays. @throws when a worker does not build */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** How long the services may take to become ready: they connect to NATS and replay what they missed. */
const READY_MS = 30_000;

const entries = Object.fromEntries(WORKERS.map(({ name, main }) => [name, join(ROOT, main)]));

/** What stays the same while bundles change. */
interface Serving extends LocalSystemOptions {
  readonly control: ControlSecrets;
  readonly identity: IdentityKeys;
}

const hasSocket = ({ name, ownSocket }: WorkerEntry, { sockets }: LocalSystemOptions): boolean =>
  ownSocket === true || sockets?.includes(name) === true;

/**
 * @param bundles the modules' texts by worker name
 * @param ports of the workers with a socket of their own; a free one where it does not say
 */
const miniflareOptions = async (
  bundles: Readonly<Record<string, string>>,
  options: Serving,
  ports: Readonly<Record<string, number>>,
) => {
  const { workerOptions } = await import("./worker-options.ts");
  const secrets = await workerSecrets(options.control, options.identity);
  const { creds } = options.natsAccess ?? {};
  // Not the authority: workerd cannot be given one, and refuses to connect where it would be needed.
  const shared = { NATS_URL: options.natsUrl, ...(creds && { NATS_CREDS: creds }), ...options.env };
  const workers = WORKERS.map((worker) =>
    workerOptions(worker, {
      contents: bundles[worker.name] ?? "",
      vars: { ...shared, ...secrets[worker.name], ...options.overrides?.[worker.name] },
      ...(hasSocket(worker, options) ? { socketPort: ports[worker.name] ?? 0 } : {}),
    }),
  );
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    // Asking Cloudflare's servers for an example of `request.cf` would make every start wait for the network.
    cf: false,
    log: new Log(LogLevel.WARN),
    unsafeRuntimeEnv: ownerMark(options.dataDir),
    resourcePersistencePath: join(options.dataDir, "workers"),
    workers,
  });
};

const migrate = async (miniflare: Miniflare) => {
  const { applyMigrations } = await import("./apply-migrations.ts");
  await Promise.all(
    WORKERS.map(async ({ name, migrations }) => {
      if (!migrations) return;
      await applyMigrations(await miniflare.getD1Database("DB", name), join(ROOT, migrations));
    }),
  );
};

const addressesOf = async (miniflare: Miniflare, options: LocalSystemOptions) => {
  const own = WORKERS.filter((worker) => hasSocket(worker, options));
  const pairs = own.map(
    async ({ name }) => [name, (await miniflare.unsafeGetDirectURL(name)).origin] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
};

/** The workers that serve, over bundles that are built already. */
const serve = async (options: Serving, bundles: Readonly<Record<string, string>>) => {
  const expected = WORKERS.flatMap(({ registers }) => (registers ? [registers.service] : []));
  const waiting = { boundMs: READY_MS, expected, signal: options.signal };
  const initial = await miniflareOptions(bundles, options, { [GATEWAY]: options.port });
  const removeNewListeners = keepSignalListeners();
  const miniflare = new Miniflare(initial);
  try {
    await miniflare.ready.finally(removeNewListeners);
    await migrate(miniflare);
    const services = await addressesOf(miniflare, options);
    const url = services[GATEWAY];
    if (url === undefined) throw new CliFailure(`cannot start without the worker "${GATEWAY}"`);
    const control = controlClient({ url, token: options.control.token });
    await registerWorkers(control);
    await waitUntilReady(url, waiting);
    const ports = Object.fromEntries(
      Object.entries(services).map(([name, address]) => [name, Number(new URL(address).port)]),
    );
    const serveAnew = async (changed: Readonly<Record<string, string>>) => {
      await miniflare.setOptions(await miniflareOptions(changed, options, ports));
      await migrate(miniflare);
      await registerWorkers(control);
      await waitUntilReady(url, waiting);
    };
    return { url, services, serveAnew, dispose: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
};

/**
 * Starts every worker, applies migrations and streams, registers the services, and waits until all is ready.
 * @throws CliFailure when something does not become ready; nothing is left running then
 */
export const startLocalSystem = async (options: LocalSystemOptions): Promise<LocalSystem> => {
  const bundler = await createBundler(entries);
  try {
    const building = bundler.build();
    // Looked at below; a build that fails sooner is not unhandled.
    building.catch(() => {});
    await applyStreams({ natsUrl: options.natsUrl, ...options.natsAccess });
    // Loading wrangler blocks this process for a second; esbuild builds on in one of its own.
    await import("./worker-options.ts");
    const control = controlSecrets(options.dataDir);
    const identity = identityKeys(options.dataDir);
    const { url, services, serveAnew, dispose } = await serve(
      { ...options, control, identity },
      await building,
    );
    return {
      url,
      services,
      controlToken: control.token,
      reload: async () => serveAnew(await bundler.build()),
      close: async () => {
        await dispose();
        await bundler.close();
      },
    };
  } catch (error) {
    await bundler.close();
    throw error;
  }
};
