/** A folder for what a test stores, gone with the test also when the run is cut short. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder {
  /** Absolute. */
  readonly path: string;
  remove(): Promise<void>;
}

let sweeper: ChildProcess | undefined;

/** vitest's watchdog ends the process of a run that is cut short by SIGKILL: only another process can clean up. */
const startSweeper = (): ChildProcess => {
  const started = spawn(process.execPath, [join(import.meta.dirname, "sweep-folders.ts")], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  started.unref();
  return started;
};

/** @param kind a part of its name, to tell by what it is when it is seen */
export const temporaryFolder = async (kind: string): Promise<TemporaryFolder> => {
  const path = await mkdtemp(join(tmpdir(), `skerry-${kind}-`));
  sweeper ??= startSweeper();
  sweeper.stdin?.write(`${path}\n`);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};
