/** The system as `npm start` runs it: a process of its own on a data folder of its own, which can be killed with all it has started. */
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { vi } from "vitest";
import { ownedProcesses } from "#cli/owned-processes.ts";
import { freePort } from "#cli/ports.ts";
import { FAKE_PAYMENT_PROVIDER, ROOT } from "#cli/workers.ts";
import { newestNats } from "../setup/nats.ts";
import { temporaryFolder } from "../setup/temporary-folder.ts";

export interface ChildSystem {
  readonly url: string;
  readonly services: Readonly<Record<string, string>>;
  readonly natsUrl: string;
  /** Everything that it has said so far. */
  output(): string;
  /** SIGKILL to the process and everything that it has started; resolves when all of them are gone. */
  kill(): Promise<void>;
}

export interface ChildFolder {
  /** Resolves when it says that it is ready. @throws with what it said when it ends before */
  start(): Promise<ChildSystem>;
  /** Kills what still runs and removes the folder. */
  dispose(): Promise<void>;
}

const READY_MS = 60_000;
const GONE_MS = 5_000;

const killed = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Starts of one folder all listen on the same port, as those of a person do. */
export const childFolder = async (): Promise<ChildFolder> => {
  const [folder, port, nats] = await Promise.all([temporaryFolder("child"), freePort(), newestNats()]);
  const dataDir = folder.path;
  let child: ChildProcess | undefined;

  const killAll = async (): Promise<void> => {
    const main = child;
    for (const pid of [...(main?.pid ? [main.pid] : []), ...ownedProcesses(dataDir)]) killed(pid);
    await vi.waitFor(
      () => {
        if ((main && !hasEnded(main)) || ownedProcesses(dataDir).length > 0)
          throw new Error("Some still run");
      },
      { timeout: GONE_MS, interval: 20 },
    );
  };

  const start = async (): Promise<ChildSystem> => {
    const { NATS_URL: _, ...env } = process.env;
    const started = spawn(process.execPath, [join(ROOT, "cli/main.ts"), "start"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...env,
        PORT: String(port),
        SKERRY_DATA_DIR: dataDir,
        PATH: `${dirname(nats.path)}${delimiter}${env.PATH}`,
      },
    });
    child = started;
    let output = "";
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    await vi.waitUntil(() => output.includes("Skerry is ready on") || hasEnded(started), {
      timeout: READY_MS,
      interval: 50,
    });
    const address = (title: string): string => {
      const found = new RegExp(`^\\s*${title}\\s+(\\S+://\\S+?)/?$`, "m").exec(output)?.[1];
      if (found === undefined) throw new Error(`Expected the address of "${title}" in:\n${output}`);
      return found.replace("localhost", "127.0.0.1");
    };
    return {
      url: address("gateway"),
      services: { [FAKE_PAYMENT_PROVIDER]: address("fake payment provider") },
      natsUrl: address("NATS"),
      output: () => output,
      kill: killAll,
    };
  };

  return {
    start,
    async dispose() {
      await killAll();
      await folder.remove();
    },
  };
};
