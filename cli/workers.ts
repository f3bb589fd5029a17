/** The workers of the system, in the order in which they start: everything local goes by this table. */
import { join } from "node:path";

/** The project's folder, absolute. */
export const ROOT = join(import.meta.dirname, "..");

export interface WorkerEntry {
  /** The name in its `wrangler.toml`. */
  readonly name: string;
  /** What it is, in the table of addresses. */
  readonly title: string;
  /** Its `wrangler.toml`, relative to the project's folder. */
  readonly config: string;
  /** Its main module, as the `wrangler.toml` says too; named here so that building need not wait for reading that. */
  readonly main: string;
  /** Folder of its D1 migrations, when it has a database. */
  readonly migrations?: string;
  /** Listens on a port of its own; the others are reached through the gateway. */
  readonly ownSocket?: true;
  /** Path behind the gateway that a person may want to open. */
  readonly page?: string;
  /** Service bindings that it has in local runs only, to the worker's name. */
  readonly localServices?: Readonly<Record<string, string>>;
  /** The service that it is, as the registry and the gateway are told of it. */
  readonly registers?: Registration;
}

/** A worker as an instance of a service, reached by a service binding. */
export interface Registration {
  readonly service: string;
  /** Name of the service binding that the gateway and the control worker have to it. */
  readonly binding: string;
  /** Semantic version; its major is the `v{major}` of the paths. */
  readonly version: string;
  /** One line for people. */
  readonly summary: string;
}

export const GATEWAY = "skerry-gateway";
export const CONTROL = "skerry-control";
export const FAKE_PAYMENT_PROVIDER = "skerry-fake-payment-provider";

const service = (name: string, summary: string): WorkerEntry => ({
  name: `skerry-${name}`,
  title: name,
  config: `workers/${name}/wrangler.toml`,
  main: `workers/${name}/index.ts`,
  migrations: `migrations/${name}`,
  page: `/${name}/v1/openapi.json`,
  registers: { service: name, binding: name.toUpperCase(), version: "1.0.0", summary },
});

export const WORKERS: readonly WorkerEntry[] = [
  {
    name: GATEWAY,
    title: "gateway",
    config: "wrangler.toml",
    main: "workers/gateway/index.ts",
    ownSocket: true,
    page: "/",
  },
  {
    name: CONTROL,
    title: "control",
    config: "workers/control/wrangler.toml",
    main: "workers/control/index.ts",
    page: "/control/v1/openapi.json",
  },
  service("catalog", "What the shop sells, and for how much. Plain rows."),
  service("orders", "Takes orders and tells what became of them. Event-sourced."),
  service("inventory", "Counts stock and holds it for orders. Event-sourced."),
  {
    ...service("payments", "Collects payments from the provider. Event-sourced."),
    localServices: { PAYMENT_PROVIDER: FAKE_PAYMENT_PROVIDER },
  },
  {
    name: "skerry-monitor",
    title: "monitor",
    config: "workers/monitor/wrangler.toml",
    main: "workers/monitor/index.ts",
    page: "/monitor/",
  },
  {
    name: "skerry-docs",
    title: "docs",
    config: "workers/docs/wrangler.toml",
    main: "workers/docs/index.ts",
    page: "/docs",
  },
  {
    name: FAKE_PAYMENT_PROVIDER,
    title: "fake payment provider",
    config: "test/fake/payment-provider/wrangler.toml",
    main: "test/fake/payment-provider/index.ts",
    ownSocket: true,
  },
];
