/** Reads a worker's `wrangler.toml` by wrangler's own reader, so that bindings stand in one place only. */
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { bundleWorker } from "./bundle-worker.ts";
import { CliFailure } from "./failure.ts";
import { ROOT, type WorkerEntry } from "./workers.ts";

export interface WorkerOptionsInput {
  /** Added to the `[vars]` of the file, and stronger than them. */
  readonly vars: Readonly<Record<string, string>>;
  /** Names of the workers that run; bindings to others are left out. */
  readonly present: ReadonlySet<string>;
  /** Port of the worker's own socket, 0 for a free one; none without. */
  readonly socketPort?: number;
}

type ServiceBindings = NonNullable<V4WorkerOptions["serviceBindings"]>;

const presentOnly = (bindings: unknown, present: ReadonlySet<string>): ServiceBindings =>
  Object.fromEntries(
    Object.entries((bindings ?? {}) as ServiceBindings).filter(([, to]) => {
      const name = typeof to === "object" && "name" in to ? to.name : to;
      return typeof name !== "string" || present.has(name);
    }),
  );

/** @throws CliFailure when the file or the bundle is not valid */
export const workerOptions = async (
  worker: WorkerEntry,
  { vars, present, socketPort }: WorkerOptionsInput,
): Promise<V4WorkerOptions> => {
  const config = unstable_readConfig({ config: join(ROOT, worker.config) });
  if (!config.main || config.name !== worker.name) {
    throw new CliFailure(
      `cannot start the worker of "${worker.config}": expected a main file and the name "${worker.name}", found "${config.name}"`,
    );
  }
  // modulesRules tell wrangler how to bundle; what is bundled has no use for them.
  const { modulesRules: _, ...options } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  return {
    ...options,
    name: worker.name,
    rootPath: ROOT,
    bindings: { ...(options.bindings as Record<string, string> | undefined), ...vars },
    serviceBindings: presentOnly(options.serviceBindings, present),
    modules: [{ type: "ESModule", path: `${worker.name}.mjs`, contents: await bundleWorker(config.main) }],
    ...(socketPort === undefined ? {} : { unsafeDirectSockets: [{ host: "127.0.0.1", port: socketPort }] }),
  };
};
