/** Runs wrangler as a deployment does, without an account and without questions. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "#cli/workers.ts";

const execute = promisify(execFile);

/** Resolves with everything that it said. @throws when its exit code is not 0 */
export const runWrangler = async (args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await execute(join(ROOT, "node_modules", ".bin", "wrangler"), args, {
    cwd: ROOT,
    env: { ...process.env, CI: "true", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
  });
  return stdout + stderr;
};
