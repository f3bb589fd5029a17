/** The folder with everything that outlives a start: one system at a time works in it. */
import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { CliFailure } from "./failure.ts";
import { commandLine, endOwnedProcesses } from "./owned-processes.ts";
import { ROOT } from "./workers.ts";

export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  /** How many processes of a start that crashed were ended. */
  readonly leftovers: number;
  release(): void;
}

/** Absolute; a relative SKERRY_DATA_DIR is one of the project's folder. */
export const dataFolderOf = (env: NodeJS.ProcessEnv): string =>
  resolve(ROOT, env.SKERRY_DATA_DIR ?? join(".skerry", "data"));

const LOCK = "running.pid";

const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

const openFolder = (path: string): void => {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(path);
  } catch (error) {
    throw new CliFailure(
      `cannot use the data folder "${path}" (${reasonOf(error)}): expected a folder that can be read and written`,
    );
  }
};

/** The process that holds the folder, when it still runs; a number that another program has by now does not count. */
const livingHolder = (lock: string): number | null => {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    return pid > 0 && commandLine(pid).includes("main.ts") ? pid : null;
  } catch {
    return null;
  }
};

/** Whether the finished file could be put in place; atomic, so of two at the same moment one wins. */
const tryLink = (own: string, lock: string): boolean => {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (reasonOf(error) === "EEXIST") return false;
    throw error;
  }
};

const takeLock = (folder: string): void => {
  const lock = join(folder, LOCK);
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    if (tryLink(own, lock)) return;
    const holder = livingHolder(lock);
    if (holder !== null) {
      throw new CliFailure(
        `cannot use the data folder "${folder}": Skerry already runs on it (process ${holder})`,
      );
    }
    rmSync(lock, { force: true });
    if (tryLink(own, lock)) return;
    throw new CliFailure(`cannot use the data folder "${folder}": another start takes it at the same time`);
  } finally {
    rmSync(own, { force: true });
  }
};

const empty = (folder: string): void => {
  for (const name of readdirSync(folder)) {
    if (name !== LOCK) rmSync(join(folder, name), { recursive: true, force: true });
  }
};

/**
 * Takes the folder for this process, ends what a crashed start left running on it, and empties it when `fresh`.
 * @throws CliFailure when it cannot be used or another system runs on it
 */
export const openDataFolder = async (path: string, { fresh }: { fresh: boolean }): Promise<DataFolder> => {
  openFolder(path);
  takeLock(path);
  const release = () => rmSync(join(path, LOCK), { force: true });
  try {
    const leftovers = await endOwnedProcesses(path);
    if (fresh) empty(path);
    return { path, leftovers, release };
  } catch (error) {
    release();
    throw error;
  }
};
