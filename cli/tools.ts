/** What fetching a program needs from the machine, as a port, so that the choice of a source is tested without one. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { err, ok, type Result } from "#shared/result.ts";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Tools {
  /** Like "linux-amd64", in the words of Go's releases. */
  readonly platform: string;
  readonly isRoot: boolean;
  /** Absolute path of a program on PATH. */
  which(program: string): string | null;
  /** Runs to the end; the refusal is the end of what the program said. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<Result<string, string>>;
  /** Writes what the address answers to a file; refused when its SHA-256 (hex) is another. */
  download(url: string, file: string, sha256: string): Promise<Result<void, string>>;
}

const CONNECT_MS = 5_000;
const DOWNLOAD_MS = 120_000;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() ?? "";

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const run = (program: string, args: readonly string[], options: RunOptions, signal: AbortSignal) =>
  new Promise<Result<string, string>>((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk;
      });
    }
    child.on("error", (error) =>
      resolve(err(error.name === "AbortError" ? "stopped waiting" : error.message)),
    );
    child.on("close", (code) =>
      resolve(code === 0 ? ok(output) : err(lastLine(output) || `ended with ${code}`)),
    );
  });

/** Gives up soon when nobody answers, and later when the body does not come. */
const fetchBytes = async (url: string, signal: AbortSignal): Promise<Result<Buffer, string>> => {
  const unanswered = new AbortController();
  const timer = setTimeout(() => unanswered.abort(), CONNECT_MS);
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, unanswered.signal, AbortSignal.timeout(DOWNLOAD_MS)]),
    });
    clearTimeout(timer);
    if (!answer.ok) return err(`${new URL(url).host} answered ${answer.status}`);
    return ok(Buffer.from(await answer.arrayBuffer()));
  } catch {
    return err(`${new URL(url).host} cannot be reached`);
  } finally {
    clearTimeout(timer);
  }
};

/** @param signal ends what runs, when the person at the terminal stops the command */
export const machineTools = (signal: AbortSignal): Tools => ({
  platform: `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`,
  isRoot: process.getuid?.() === 0,
  which: (program) =>
    (process.env.PATH ?? "")
      .split(delimiter)
      .filter((folder) => folder !== "")
      .map((folder) => join(folder, program))
      .find(isExecutable) ?? null,
  run: (program, args, options) => run(program, args, options, signal),
  download: async (url, file, sha256) => {
    const bytes = await fetchBytes(url, signal);
    if (!bytes.ok) return bytes;
    const found = createHash("sha256").update(bytes.value).digest("hex");
    if (found !== sha256) return err(`its SHA-256 is "${found}", expected "${sha256}"`);
    await writeFile(file, bytes.value);
    return ok(undefined);
  },
});
