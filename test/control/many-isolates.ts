/** The control worker with many isolates around it, and a KeyValue store that lags: what a change has to get through. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { createBundler } from "#cli/bundle-workers.ts";
import { keepSignalListeners } from "#cli/signal-listeners.ts";
import { workerOptions } from "#cli/worker-options.ts";
import { GATEWAY, ROOT, WORKERS } from "#cli/workers.ts";
import { newKey, serviceKeys } from "#shared/config/sealing.ts";

const CONTROL = "skerry-control";
const LAGGING_KV = "lagging-kv";
const SWITCH = "control-switch";
export const ADMIN_TOKEN = "skerry_admin-of-the-test";

export interface ManyIsolatesOptions {
  readonly probes: number;
  readonly gateways: number;
  /** Isolates of the service "serving", each registered as an instance of it; none when absent. */
  readonly serving?: number;
  /** Of the KeyValue store; without it, it is Miniflare's own, which shows everything at once and keeps it in `folder`. */
  readonly lagMs?: number;
  /** By what the probes know: as services do, or by the KeyValue store alone. */
  readonly knowsBy?: "looking" | "snapshots";
  /** For the control worker's state; in memory when absent. */
  readonly folder?: string;
  /** `CONTROL_KEYS`, from which the services' own are derived; a fresh one when absent. */
  readonly keys?: string;
}

export interface ManyIsolates {
  readonly control: string;
  readonly probes: readonly string[];
  readonly gateways: readonly string[];
  readonly serving: readonly string[];
  /** Calls the control plane through the first gateway, or straight when there is none; as admin unless told otherwise. */
  call(path: string, init?: CallInit): Promise<Response>;
  /** What the lagging store ever held, by key. */
  stored(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Everything that the workers wrote to the terminal, and every span that they sent. */
  readonly told: { readonly logs: string[]; readonly spans: string[] };
  /** For everyone but `control` itself: it answers, refuses, or never answers. */
  switchControl(mode: "on" | "refusing" | "silent"): Promise<void>;
  /**
   * Ends all isolates and starts them again on the same storage, without the control worker when it is to be away, and with
   * other keys when there are some.
   */
  restart(options: { control: "here" | "away"; keys?: string }): Promise<ManyIsolates>;
  close(): Promise<void>;
}

export interface CallInit {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);

const OWN = ["lagging-kv", "probe", "serving", "control-switch"];

const bundle = async () => {
  const own = OWN.map((name) => [name, join(import.meta.dirname, "workers", `${name}.ts`)]);
  const system = WORKERS.filter(({ name }) => name === CONTROL || name === GATEWAY).map(({ name, main }) => [
    name,
    join(ROOT, main),
  ]);
  const bundler = await createBundler(Object.fromEntries([...own, ...system]));
  try {
    return await bundler.build();
  } finally {
    await bundler.close();
  }
};

type Bound = NonNullable<V4WorkerOptions["serviceBindings"]>;

/** A worker of the system as its own file says, bound to the switch and to what the test offers in place of the rest. */
const likeInSystem = (
  name: string,
  {
    as,
    contents,
    vars,
    bound,
  }: { as: string; contents: string; vars: Readonly<Record<string, string>>; bound: Bound },
): V4WorkerOptions => {
  const worker = WORKERS.find((entry) => entry.name === name);
  if (!worker) throw new Error(`Cannot start "${name}": it is not in the table of workers`);
  const { kvNamespaces, ...options } = workerOptions(worker, { contents, vars, socketPort: 0 });
  const nothing = async () => Response.json({}) as never;
  const bindings = Object.keys(options.serviceBindings as object).map((binding) => [binding, nothing]);
  return {
    ...options,
    name: as,
    serviceBindings: { ...Object.fromEntries(bindings), ...bound },
    ...("SNAPSHOTS" in bound || !kvNamespaces ? {} : { kvNamespaces }),
  };
};

const plain = (name: string, contents: string, options: Partial<V4WorkerOptions> = {}): V4WorkerOptions => ({
  compatibilityDate: "2026-10-01",
  compatibilityFlags: ["nodejs_compat"],
  ...options,
  name,
  modules: [{ type: "ESModule", path: `${name}.mjs`, contents }],
});

const OWN_SOCKET = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };

const AWAY = "export default { fetch() { throw new Error('away'); } };";

/** Ready when it resolves. Each probe and each gateway is an isolate of its own. */
export const startManyIsolates = async (options: ManyIsolatesOptions): Promise<ManyIsolates> => {
  const bundles = await bundle();
  const vars = {
    CONTROL_ADMIN_TOKEN: ADMIN_TOKEN,
    CONTROL_KEYS: options.keys ?? newKey("k1"),
    REGISTRY_ALLOWED_HOSTS: "127.0.0.1:*",
  };
  const gateways = numbered("gateway", options.gateways);
  const probes = numbered("probe", options.probes);
  const serving = numbered("serving", options.serving ?? 0);
  const told = { logs: [] as string[], spans: [] as string[] };
  const lagging: Bound = options.lagMs === undefined ? {} : { SNAPSHOTS: LAGGING_KV };
  const namespaces = options.lagMs === undefined ? { kvNamespaces: { SNAPSHOTS: "skerry-snapshots" } } : {};
  const MONITOR: Bound[string] = async (request: { text(): Promise<string> }) => {
    told.spans.push(await request.text());
    return Response.json({}) as never;
  };
  let serviceKey = await serviceKeys(vars.CONTROL_KEYS, "probe");

  const workers = (control: "here" | "away"): V4WorkerOptions[] => [
    control === "away"
      ? plain(CONTROL, AWAY, OWN_SOCKET)
      : likeInSystem(CONTROL, {
          as: CONTROL,
          contents: bundles[CONTROL] ?? "",
          vars,
          bound: { ...lagging, MONITOR },
        }),
    plain(SWITCH, bundles[SWITCH] ?? "", { ...OWN_SOCKET, serviceBindings: { CONTROL } }),
    ...gateways.map((as) =>
      likeInSystem(GATEWAY, {
        as,
        contents: bundles[GATEWAY] ?? "",
        vars: {},
        bound: { ...lagging, CONTROL: SWITCH, MONITOR },
      }),
    ),
    ...probes.map((name) =>
      plain(name, bundles.probe ?? "", {
        ...OWN_SOCKET,
        ...namespaces,
        bindings: { KNOWS_BY: options.knowsBy ?? "looking", CONFIG_KEYS: serviceKey },
        serviceBindings: { CONTROL: SWITCH, ...lagging },
      }),
    ),
    ...serving.map((name) =>
      plain(name, bundles.serving ?? "", {
        ...OWN_SOCKET,
        ...namespaces,
        serviceBindings: { CONTROL: SWITCH, MONITOR, ...lagging },
      }),
    ),
    ...(options.lagMs === undefined
      ? []
      : [plain(LAGGING_KV, bundles[LAGGING_KV] ?? "", { bindings: { LAG_MS: `${options.lagMs}` } })]),
  ];

  const miniflareOptions = (control: "here" | "away") =>
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      ...(options.folder === undefined ? {} : { resourcePersistencePath: options.folder }),
      handleStructuredLogs: ({ message }) => told.logs.push(message),
      workers: workers(control),
    });

  const removeNewListeners = keepSignalListeners();
  const miniflare = new Miniflare(miniflareOptions("here"));

  const running = async (): Promise<ManyIsolates> => {
    const origin = async (name: string) => (await miniflare.unsafeGetDirectURL(name)).origin;
    const urls = {
      control: await origin(CONTROL),
      gateways: await Promise.all(gateways.map(origin)),
      probes: await Promise.all(probes.map(origin)),
      serving: await Promise.all(serving.map(origin)),
    };
    const [entrance = urls.control] = urls.gateways;
    const call: ManyIsolates["call"] = (path, { method = "GET", body, headers } = {}) =>
      fetch(`${entrance}/control/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
    return {
      ...urls,
      told,
      call,
      stored: async () => {
        const worker = await miniflare.getWorker(LAGGING_KV);
        return (worker as unknown as { everything(): Promise<Record<string, string[]>> }).everything();
      },
      switchControl: async (mode) => {
        await (await fetch(`${await origin(SWITCH)}/switch?mode=${mode}`)).text();
      },
      restart: async ({ control, keys = vars.CONTROL_KEYS }) => {
        vars.CONTROL_KEYS = keys;
        serviceKey = await serviceKeys(keys, "probe");
        await miniflare.setOptions(miniflareOptions(control));
        return running();
      },
      close: () => miniflare.dispose(),
    };
  };

  try {
    await miniflare.ready.finally(removeNewListeners);
    const started = await running();
    for (const [index, url] of started.serving.entries()) {
      const instance = { version: "1.0.0", url, ttlSeconds: 600, health: false };
      const path = `/registry/serving/instances/${serving[index]}`;
      const answer = await started.call(path, { method: "PUT", body: instance });
      if (!answer.ok) throw new Error(`Registering "${url}": ${answer.status} ${await answer.text()}`);
    }
    return started;
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
};
