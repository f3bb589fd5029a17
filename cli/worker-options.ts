/** Reads a worker's `wrangler.toml` by wrangler's own reader, so that bindings stand in one place only. */
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { CliFailure } from "./failure.ts";
import { ROOT, type WorkerEntry } from "./workers.ts";

export interface WorkerOptionsInput {
  /** The bundled module. */
  readonly contents: string;
  /** Added to the `[vars]` of the file, and stronger than them. */
  readonly vars: Readonly<Record<string, string>>;
  /** Port of the worker's own socket, 0 for a free one; none without. */
  readonly socketPort?: number;
}

/** @throws CliFailure when the file does not agree with the table of workers */
export const workerOptions = (
  worker: WorkerEntry,
  { contents, vars, socketPort }: WorkerOptionsInput,
): V4WorkerOptions => {
  // Secrets come by `vars`: wrangler would look for them in the terminal's environment, and warn of each.
  const { secrets: _secrets, ...config } = unstable_readConfig({ config: join(ROOT, worker.config) });
  if (config.main !== join(ROOT, worker.main) || config.name !== worker.name) {
    throw new CliFailure(
      `cannot start the worker of "${worker.config}": expected the name "${worker.name}" and the main file "${worker.main}", found "${config.name}" and "${config.main}"`,
    );
  }
  // modulesRules tell wrangler how to bundle; what is bundled has no use for them.
  const { modulesRules: _, ...options } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  return {
    ...options,
    name: worker.name,
    rootPath: ROOT,
    serviceBindings: {
      ...(options.serviceBindings as V4WorkerOptions["serviceBindings"]),
      ...worker.localServices,
    },
    bindings: { ...(options.bindings as Record<string, string> | undefined), ...vars },
    modules: [{ type: "ESModule", path: `${worker.name}.mjs`, contents }],
    ...(socketPort === undefined ? {} : { unsafeDirectSockets: [{ host: "127.0.0.1", port: socketPort }] }),
  };
};
