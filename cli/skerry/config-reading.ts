/** The commands that only read documents: get, effective, history, diff, schema. */
import type { Command } from "commander";
import type { HistoryEntry } from "#workers/control/documents/document.ts";
import type { DocumentName } from "#workers/control/part.ts";
import { EXIT } from "../control-call.ts";
import type { ControlClient } from "../control-client.ts";
import { CliFailure } from "../failure.ts";
import { nothingAt, valueAt } from "./document-path.ts";
import { answer, lines, type Session, tableOn, wholeNumber, withJson } from "./session.ts";
import { changeCell, changeLine, yamlOf } from "./shown-change.ts";

interface ReadOptions {
  readonly profile: string;
  readonly json?: boolean;
}

/** Entries of the history that one call shows at most. */
const HISTORY_MAX = 100;

export const withProfile = (command: Command): Command =>
  withJson(command.option("-p, --profile <name>", "the document's profile", "default"));

export const configReading = (config: Command, { terminal, client }: Session): void => {
  withProfile(config.command("get <service> [path]"))
    .summary("print a document, or the value at a path of it")
    .action(async (service: string, path: string | undefined, options: ReadOptions) => {
      const { content } = await client().document({ service, profile: options.profile });
      const value = path === undefined ? content : valueAt(content, path);
      if (value === undefined) throw nothingAt(path ?? "");
      answer(terminal, options, { json: value, text: lines(yamlOf(value)) });
    });

  withProfile(config.command("effective <service>"))
    .summary("print what a service gets, and which document each value comes from")
    .action(async (service: string, options: ReadOptions) => {
      const found = await client().effective({ service, profile: options.profile });
      const rows = Object.entries(found.origins).map(([path, { document, revision }]) => [
        path,
        JSON.stringify(valueAt(found.value, path)),
        `${document} (${revision})`,
      ]);
      answer(terminal, options, {
        json: found,
        text: tableOn(terminal, ["path", "value", "from (revision)"], rows),
      });
    });

  withProfile(config.command("history <service>"))
    .summary("list who changed what, when and why, newest first")
    .option("-n, --limit <count>", "at most so many revisions", "20")
    .action(async (service: string, options: ReadOptions & { limit: string }) => {
      const limit = wholeNumber("--limit", options.limit, 1, HISTORY_MAX);
      const items = await client().history({ service, profile: options.profile }, limit);
      const rows = items.map(({ revision, at, author, kind, reason, changes }) => [
        `${revision}`,
        at,
        author,
        kind,
        reason,
        changeCell(changes),
      ]);
      answer(terminal, options, {
        json: { items },
        text: tableOn(terminal, ["revision", "when", "who", "kind", "reason", "what changed"], rows),
      });
    });

  withProfile(config.command("diff <service> [from] [to]"))
    .summary("compare two revisions; without them the newest with the one before it")
    .action(
      async (service: string, from: string | undefined, to: string | undefined, options: ReadOptions) => {
        const name = { service, profile: options.profile };
        const found = await compared(client(), name, { from, to });
        const text = found.changes.map((change) => `${changeLine(change)}\n`).join("");
        answer(terminal, options, { json: found, text: lines(text || "nothing\n") });
      },
    );

  withJson(config.command("schema <service>"))
    .summary("print the JSON Schema that a service declared for its configuration")
    .action(async (service: string, options: { readonly json?: boolean }) => {
      const found = await client().schema(service);
      answer(terminal, options, { json: found, text: lines(JSON.stringify(found.schema, null, 2)) });
    });
};

const compared = async (
  client: ControlClient,
  name: DocumentName,
  { from, to }: { from: string | undefined; to: string | undefined },
) => {
  const number = (text: string) => wholeNumber("the revision", text, 1, 999_999_999);
  const [first, second] = [from, to].map((text) => (text === undefined ? undefined : number(text)));
  const newest = second === undefined ? await newestEntry(client, name) : undefined;
  const last = second ?? newest?.revision ?? 0;
  // The first revision has none before it: its entry of the history says what it brought.
  if (first === undefined) return { from: last - 1, to: last, changes: newest?.changes ?? [] };
  return { from: first, to: last, changes: await client.diff(name, first, last) };
};

const newestEntry = async (client: ControlClient, name: DocumentName): Promise<HistoryEntry> => {
  const [newest] = await client.history(name, 1);
  if (newest) return newest;
  throw new CliFailure(
    `cannot compare "${name.service}/${name.profile}": expected a document with a history`,
    EXIT.notFound,
  );
};
