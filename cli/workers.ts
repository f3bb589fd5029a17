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
}

export const GATEWAY = "skerry-gateway";
export const FAKE_PAYMENT_PROVIDER = "skerry-fake-payment-provider";

const service = (name: string): WorkerEntry => ({
  name: `skerry-${name}`,
  title: name,
  config: `workers/${name}/wrangler.toml`,
  main: `workers/${name}/index.ts`,
  migrations: `migrations/${name}`,
  page: `/${name}/v1/openapi.json`,
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
  service("catalog"),
  service("orders"),
  service("inventory"),
  { ...service("payments"), localServices: { PAYMENT_PROVIDER: FAKE_PAYMENT_PROVIDER } },
  {
    name: "skerry-monitor",
    title: "monitor",
    config: "workers/monitor/wrangler.toml",
    main: "workers/monitor/index.ts",
    page: "/monitor/",
  },
  {
    name: FAKE_PAYMENT_PROVIDER,
    title: "fake payment provider",
    config: "test/fake/payment-provider/wrangler.toml",
    main: "test/fake/payment-provider/index.ts",
    ownSocket: true,
  },
];
