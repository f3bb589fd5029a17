/** Runs a command of `npx skerry` in this process, and keeps what it wrote. */
import { runSkerry } from "#cli/skerry/run-skerry.ts";

export interface CommandWorld {
  /** Variables; nothing of this process's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard input. */
  readonly input?: string;
  /** Characters of a line of the terminal; without it the output is a pipe. */
  readonly columns?: number;
  readonly fetch?: typeof fetch;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const runCommand = async (args: readonly string[], world: CommandWorld): Promise<Ran> => {
  const said = { out: "", err: "" };
  const writing = (to: "out" | "err") => (text: string) => {
    said[to] += text;
  };
  const { env, cwd, columns, input = "", fetch: ask = fetch } = world;
  const terminal = {
    out: { write: writing("out"), columns, isTTY: columns !== undefined },
    err: { write: writing("err") },
    env,
    cwd,
    fetch: ask,
    readInput: async () => input,
    readLine: async () => input.split("\n", 1)[0] ?? "",
  };
  const code = await runSkerry(args, terminal, [{ name: "start", summary: "run the system" }]);
  return { code, ...said };
};
