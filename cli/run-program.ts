/** Runs a program of the project's dependencies in the terminal and resolves with its exit code. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./workers.ts";

/** @param program a name in node_modules/.bin */
export const runProgram = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, "node_modules", ".bin", program), args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
