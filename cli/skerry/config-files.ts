/** The commands that move all documents: export, import. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import * as z from "zod";
import type { ExportedDocument } from "#workers/control/documents/document.ts";
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
      const documents = await documentsOf(resolve(terminal.cwd, file));
      const wanted = { documents, reason: options.reason };
      const planned = await client().importAll(wanted, { dryRun: true });
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
        dryRun || rows.length === 0 ? planned : await client().importAll(wanted, { dryRun: false });
      const said = dryRun ? "nothing was changed (--dry-run)" : `${rows.length} documents were changed`;
      answer(terminal, options, { json: { dryRun, documents: done }, text: `${said}\n` });
    });
};

/** JSON is YAML too. What the documents hold is the control plane's to judge. */
const documentsOf = async (path: string): Promise<readonly ExportedDocument[]> => {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new CliFailure(`cannot read "${path}" (${reasonOf(error)}): expected a file written by export`);
  });
  const found = exportSchema.safeParse(parsed(text, path));
  if (found.success) return found.data.documents;
  throw new CliFailure(`cannot import "${path}": ${FORM}`);
};

const FORM = "expected documents: [{service, profile, content}], as export writes them";

const exportSchema = z.object({ documents: z.array(z.custom<ExportedDocument>()) });

const parsed = (text: string, path: string): unknown => {
  try {
    return parse(text);
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new CliFailure(`cannot import "${path}": ${reason}; ${FORM}`);
  }
};
