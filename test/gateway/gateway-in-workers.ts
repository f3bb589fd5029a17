/** The gateway as it is deployed, in the Workers runtime: a fixed control plane beside it, and services that a test brings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { createBundler } from "#cli/bundle-workers.ts";
import { keepSignalListeners } from "#cli/signal-listeners.ts";
import { workerOptions } from "#cli/worker-options.ts";
import { GATEWAY, ROOT, WORKERS } from "#cli/workers.ts";

export interface GatewayInWorkersOptions {
  /** Main modules of services, by the services' names; each is reached under `/{name}/v1/…`. */
  readonly services: Readonly<Record<string, string>>;
  /** The gateway's configuration. */
  readonly config?: object;
}

export interface GatewayInWorkers {
  /** Of the gateway's own socket, as it listens in a running system: nothing stands before it. */
  readonly url: string;
  /** Of the simulator's usual entry, which stands before the gateway as Cloudflare's edge does. */
  readonly entry: string;
  /** A service's own socket, past the gateway: the same isolate that the gateway reaches. */
  serviceUrl(name: string): string;
  /** What the runtime's process holds in memory; undefined where the system does not tell. */
  residentBytes(): number | undefined;
  /** Everything that the workers wrote to the terminal. */
  readonly logs: readonly string[];
  close(): Promise<void>;
}

const FIXED_CONTROL = "fixed-control";

const plain = (name: string, contents: string, options: Partial<V4WorkerOptions>): V4WorkerOptions => ({
  compatibilityDate: "2026-10-01",
  compatibilityFlags: ["nodejs_compat"],
  ...options,
  name,
  modules: [{ type: "ESModule", path: `${name}.mjs`, contents }],
});

const OWN_SOCKET = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };
/** In the place of workers that nothing here asks for. */
const NOBODY = "nobody";
const NOBODYS_CODE = "export default { fetch: () => Response.json({}) };";

const gatewayWorker = (contents: string, services: readonly string[]): V4WorkerOptions => {
  const entry = WORKERS.find(({ name }) => name === GATEWAY);
  if (!entry) throw new Error(`Cannot start "${GATEWAY}": it is not in the table of workers`);
  const options = workerOptions(entry, { contents, vars: {}, socketPort: 0 });
  return {
    ...options,
    serviceBindings: {
      MONITOR: NOBODY,
      DOCS: NOBODY,
      CONTROL: FIXED_CONTROL,
      ...Object.fromEntries(services.map((name) => [name.toUpperCase(), name])),
    },
  };
};

/** Ready when it resolves. */
export const startGatewayInWorkers = async ({
  services,
  config = {},
}: GatewayInWorkersOptions): Promise<GatewayInWorkers> => {
  const bundler = await createBundler({
    ...services,
    [GATEWAY]: join(ROOT, "workers/gateway/index.ts"),
    [FIXED_CONTROL]: join(import.meta.dirname, "workers/fixed-control.ts"),
  });
  const bundles = await bundler.build().finally(() => bundler.close());
  const names = Object.keys(services);
  const logs: string[] = [];
  const before = new Set(childrenNamed("workerd"));
  const removeNewListeners = keepSignalListeners();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ message }) => logs.push(message),
      workers: [
        gatewayWorker(bundles[GATEWAY] ?? "", names),
        plain(FIXED_CONTROL, bundles[FIXED_CONTROL] ?? "", {
          bindings: { CONFIG: JSON.stringify(config), SERVICES: JSON.stringify(names) },
        }),
        plain(NOBODY, NOBODYS_CODE, {}),
        ...names.map((name) => plain(name, bundles[name] ?? "", OWN_SOCKET)),
      ],
    }),
  );
  try {
    const entry = (await miniflare.ready.finally(removeNewListeners)).origin;
    const origin = async (name: string) => [name, (await miniflare.unsafeGetDirectURL(name)).origin] as const;
    const origins = new Map(await Promise.all([GATEWAY, ...names].map(origin)));
    const pid = childrenNamed("workerd").find((child) => !before.has(child));
    return {
      url: origins.get(GATEWAY) ?? "",
      entry,
      serviceUrl: (name) => origins.get(name) ?? "",
      residentBytes: () => (pid === undefined ? undefined : residentBytesOf(pid)),
      logs,
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
};

/** Linux tells of processes by files; elsewhere there are none. */
const childrenNamed = (command: string): number[] =>
  processes().filter((pid) => {
    const [, name = "", parent = ""] = /^\d+ \((.*)\) \S (\d+) /.exec(fileOf(pid, "stat")) ?? [];
    return name === command && Number(parent) === process.pid;
  });

const processes = (): number[] => {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
};

const residentBytesOf = (pid: number): number | undefined => {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(fileOf(pid, "status")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
};

/** Empty when the process has ended meanwhile. */
const fileOf = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
};
