/** What every command of the control plane has: the terminal, the client, and one way to answer people or programs. */
import type { Command } from "commander";
import { EXIT } from "../control-call.ts";
import { controlClient } from "../control-client.ts";
import { readControlSecrets } from "../control-secrets.ts";
import { dataFolderOf } from "../data-folder.ts";
import { CliFailure } from "../failure.ts";
import { table, tableStyle } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";

const DEFAULT_URL = "http://localhost:8787";

const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

export interface Session {
  readonly terminal: Terminal;
  /** The gateway's address, without a slash at the end. @throws CliFailure when SKERRY_URL is none */
  url(): string;
  /** @param boundMs of each request; ten seconds when absent */
  client(boundMs?: number): ReturnType<typeof controlClient>;
}

export const session = (terminal: Terminal): Session => {
  const url = () => addressOf(terminal.env.SKERRY_URL ?? DEFAULT_URL);
  return {
    terminal,
    url,
    client: (boundMs) =>
      controlClient({
        url: url(),
        token: terminal.env.SKERRY_TOKEN ?? localToken(url(), terminal.env),
        fetch: terminal.fetch,
        ...(boundMs !== undefined && { boundMs }),
      }),
  };
};

const addressOf = (value: string): string => {
  const url = URL.parse(value);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.href.replace(/\/+$/, "");
  throw new CliFailure(
    `cannot use SKERRY_URL "${value}": expected an http:// or https:// address`,
    EXIT.usage,
  );
};

/** The data folder's token is for the system of this machine: no other one ever gets it. */
const localToken = (url: string, env: NodeJS.ProcessEnv): string | undefined =>
  LOOPBACK.includes(new URL(url).hostname) ? readControlSecrets(dataFolderOf(env))?.token : undefined;

export interface Answer {
  /** What a program gets. */
  readonly json: unknown;
  /** What a person gets, lines ended. */
  readonly text: string;
}

/** A command that answers in both ways; the last arguments of an action are its options and the command itself. */
export const withJson = (command: Command): Command =>
  command.option("--json", "exactly one JSON document on standard output");

/** Text of documents and of others is made harmless for a terminal; JSON escapes it anyway. */
export const answer = (
  { out }: Terminal,
  options: { readonly json?: boolean },
  { json, text }: Answer,
): void => {
  out.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : text);
};

/** A table for the terminal's width, or a line that says that there is nothing. */
export const tableOn = (
  { out, env }: Terminal,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string => (rows.length === 0 ? "nothing\n" : table(header, rows, tableStyle(out, env)));

/** A text of more than one line, for people. */
export const lines = (text: string): string => {
  const clean = printable(text);
  return clean.endsWith("\n") ? clean : `${clean}\n`;
};

/** A whole number of an option. @throws CliFailure with exit code 2 */
export const wholeNumber = (what: string, value: string, min: number, max: number): number => {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new CliFailure(
    `cannot use ${what} "${value}": expected a whole number from ${min} to ${max}`,
    EXIT.usage,
  );
};
