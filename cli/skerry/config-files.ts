/** The commands that move all documents: export, import. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { CliFailure } from "../failure.ts";
import { answer, type Session, tableOn, withJson } from "./session.ts";
import { changeCell } from "./shown-change.ts";

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

export const configFiles = (config: Command, { terminal, client }: Session): void => {
  withJson(config.command("export [file]"))
    .summary("write all documents as YAML, to standard output or a file; secrets by their fingerprints")
    .action(async (file: string | undefined, options: { readonly json?: boolean }) => {
      const yaml = await client().exported();
      if (file === undefined) return answer(terminal, options, { json: parse(yaml), text: yaml });
      const path = resolve(terminal.cwd, file);
      await writeFile(path, yaml).catch((error: unknown) => {
        throw new CliFailure(`cannot write the export to "${path}" (${reasonOf(error)})`);
      });
      answer(terminal, options, { json: { file: path }, text: `wrote ${path}\n` });
    });

  withJson(config.command("import <file>"))
    .summary("show what a file written by export changes, then change it")
    .option("--dry-run", "show it only")
    .option("-r, --reason <text>", "why, for the history")
    .action(async (file: string, options: ImportOptions) => {
      const yaml = await textOf(resolve(terminal.cwd, file));
      const planned = await client().importAll(yaml, { dryRun: true, reason: options.reason });
      const rows = planned
        .filter(({ action }) => action !== "unchanged")
        .map(({ service, profile, action, changes }) => [
          `${service}/${profile}`,
          action,
          changeCell(changes),
        ]);
      if (!options.json) terminal.out.write(tableOn(terminal, ["document", "action", "what changes"], rows));
      const dryRun = options.dryRun === true;
      const done =
        dryRun || rows.length === 0
          ? planned
          : await client().importAll(yaml, { dryRun, reason: options.reason });
      const said = dryRun ? "nothing was changed (--dry-run)" : `${rows.length} documents were changed`;
      answer(terminal, options, { json: { dryRun, items: done }, text: `${said}\n` });
    });
};

const textOf = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((error: unknown) => {
    throw new CliFailure(`cannot read "${path}" (${reasonOf(error)}): expected a file written by export`);
  });
