/** What figures mean nothing without: the machine and the versions. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { ROOT } from "#cli/workers.ts";

export interface MachineFacts {
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly machine: string;
  readonly versions: Readonly<Record<"node" | "workerd" | "miniflare" | "nats", string>>;
}

const installed = (name: string): string =>
  (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string })
    .version;

export const machineFacts = (natsVersion: string): MachineFacts => ({
  at: new Date().toISOString(),
  machine: `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
  versions: {
    node: process.versions.node,
    workerd: installed("workerd"),
    miniflare: installed("miniflare"),
    nats: natsVersion,
  },
});
