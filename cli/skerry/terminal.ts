/** All that a command touches of the machine that it runs on: passed in, so that a test can stand in for it. */
import { createInterface } from "node:readline/promises";

export interface Output {
  write(text: string): unknown;
  /** Characters of a line, when it goes to a terminal. */
  readonly columns?: number | undefined;
  readonly isTTY?: boolean | undefined;
}

export interface Terminal {
  /** Results alone: with `--json` exactly one JSON document. */
  readonly out: Output;
  /** What a person is told beside them. */
  readonly err: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Where files that are named relatively lie. */
  readonly cwd: string;
  readonly fetch: typeof fetch;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Its next line, empty when there is none: what a person answers. */
  readLine(): Promise<string>;
}

/** Text of others may hold sequences that move the cursor or colour the screen: none of them reaches a terminal. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");

const readAll = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
};

const readLine = async (): Promise<string> => {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    // Nobody ended the line of the question.
    process.stderr.write("\n");
    return "";
  } finally {
    lines.close();
  }
};

/** The one of this process; `SKERRY_CWD` is the folder that `npx skerry` was called in. */
export const processTerminal = (): Terminal => ({
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  cwd: process.env.SKERRY_CWD ?? process.cwd(),
  fetch,
  readInput: readAll,
  readLine,
});
