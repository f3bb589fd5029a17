/**
 * Finds the processes that an earlier start left behind. Each process that we start carries its data folder in its
 * environment, where no crash and no restart of it can lose the mark.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const MARK = "SKERRY_OWNER";

/** The variable to start a process with, so that it is found by its data folder (an absolute path). */
export const ownerMark = (dataDir: string): Record<string, string> => ({ [MARK]: dataDir });

const readProc = (file: string): string => {
  try {
    return readFileSync(`/proc/${file}`, "utf8");
  } catch {
    // The process has ended, or is another user's: either way not ours.
    return "";
  }
};

const linuxOwned = (mark: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProc(`${pid}/environ`).split("\0").includes(mark))
    .map(Number);

/** `ps` of macOS and BSD prints the environment after the command with -E. */
const psOwned = (mark: string): number[] =>
  spawnSync("ps", ["-A", "-ww", "-E", "-o", "pid=,command="], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => ` ${line} `.includes(` ${mark} `))
    .map((line) => Number.parseInt(line, 10));

/** Ids of the running processes that were started with the mark of this folder. */
export const ownedProcesses = (dataDir: string): number[] => {
  const mark = `${MARK}=${dataDir}`;
  const pids = process.platform === "linux" ? linuxOwned(mark) : psOwned(mark);
  return pids.filter((pid) => pid !== process.pid);
};

/** The arguments of a running process as one text; empty when there is no such process. */
export const commandLine = (pid: number): string =>
  process.platform === "linux"
    ? readProc(`${pid}/cmdline`).replaceAll("\0", " ")
    : spawnSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout;

/**
 * A process is gone when its sockets are closed, which is later than its memory is freed; one that ended but was not
 * collected by its parent (state Z) is gone too.
 */
const isGone = (pid: number): boolean => {
  if (process.platform === "linux") return /^$|\) [ZX] /.test(readProc(`${pid}/stat`));
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

/** Ends what an earlier start left behind and resolves when it is gone. */
export const endOwnedProcesses = async (dataDir: string): Promise<number> => {
  const left = ownedProcesses(dataDir);
  for (const pid of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
  for (let tries = 0; tries < 250 && !left.every(isGone); tries++) await delay(20);
  return left.length;
};
