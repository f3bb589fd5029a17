/** Runs the service on each runtime as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findRuntime, RUNTIME_NAMES } from "#cli/acquire-runtimes.ts";
import { typeStrippingFlags } from "#cli/bootstrap.mjs";
import { machineTools } from "#cli/tools.ts";
import { ROOT } from "#cli/workers.ts";

export interface Runtime {
  readonly name: string;
  readonly program: string;
  /** Before the script. */
  readonly args: readonly string[];
}

const ARGUMENTS = {
  bun: ["run"],
  deno: [
    "run",
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--allow-sys",
    "--no-lock",
    "--node-modules-dir=manual",
  ],
} as const;

/** Node always; those of the others that `npm test` could fetch, and the names of those that it could not. */
export const runtimes = (): { readonly present: readonly Runtime[]; readonly absent: readonly string[] } => {
  const tools = machineTools(new AbortController().signal);
  const node = { name: "node", program: process.execPath, args: typeStrippingFlags(process.version) };
  const found = RUNTIME_NAMES.map((name) => ({ name, program: findRuntime(name, { tools })?.path }));
  return {
    present: [
      node,
      ...found.flatMap(({ name, program }) => (program ? [{ name, program, args: ARGUMENTS[name] }] : [])),
    ],
    absent: found.filter(({ program }) => !program).map(({ name }) => name),
  };
};

export interface RunningService {
  /** Its own address. */
  readonly url: string;
  /** Its instance in the registry. */
  readonly id: string;
  /** Its registration's, when it was ready. */
  readonly state: string;
  /** Asks it to drain; resolves with its exit code and what it said on stderr. */
  terminate(): Promise<{ code: number | null; said: string }>;
  /** Ends it at once, when it still runs. */
  kill(): Promise<void>;
}

export interface ServiceSettings {
  readonly service: string;
  readonly gatewayUrl: string;
  readonly token: string;
  readonly natsUrl?: string;
}

/** @throws Error with what it said when it ends before it is ready */
export const runService = async (
  { program, args }: Runtime,
  { service, gatewayUrl, token, natsUrl }: ServiceSettings,
): Promise<RunningService> => {
  const { NATS_URL: _, ...env } = process.env;
  const child = spawn(program, [...args, join(ROOT, "test/processes/service.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...env,
      SERVICE: service,
      GATEWAY_URL: gatewayUrl,
      CONTROL_TOKEN: token,
      ...(natsUrl && { NATS_URL: natsUrl }),
    },
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const exited = once(child, "exit");
  const first = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited]);
  if (hasEnded(child)) throw new Error(`Starting the service on "${program}": it ended and said: ${said}`);
  const { ready, id, state } = JSON.parse(String(first[0])) as { ready: string; id: string; state: string };
  return {
    url: ready,
    id,
    state,
    async terminate() {
      child.kill("SIGTERM");
      await exited;
      return { code: child.exitCode, said };
    },
    async kill() {
      if (!hasEnded(child)) child.kill("SIGKILL");
      await exited;
    },
  };
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
