/** `npx skerry processes`: the steps of the services' process managers, as Mermaid or as a picture. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import type { AnyProcessManager } from "#shared/cqrs/process-manager.ts";
import { mermaidOf, pictured } from "#shared/cqrs/process-picture.ts";
import { processesSvg } from "#shared/cqrs/process-picture-svg.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { answer, type Session, withJson } from "./session.ts";

interface Options {
  readonly service?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export const processesCommand = ({ terminal }: Session): Command =>
  withJson(new Command("processes").argument("[name]"))
    .summary("draw the steps of process managers from their definitions")
    .description("Prints the steps of one process manager, or of all, as Mermaid state diagrams.")
    .option("--service <name>", "those of one service")
    .option("--out <file>", "write a picture (.svg) or Mermaid (.mmd) instead")
    .action(async (name: string | undefined, { service, out, json = false }: Options) => {
      // Services' code is of no use to any other command.
      const { PROCESS_MANAGERS } = await import("./process-definitions.ts");
      const managers = chosen(PROCESS_MANAGERS, { name, service });
      if (out !== undefined) write(resolve(terminal.cwd, out), managers);
      const text = out === undefined ? mermaidText(managers) : `wrote ${out}\n`;
      answer(terminal, { json }, { json: { processes: managers.map(pictured) }, text });
    });

const chosen = (
  managers: readonly AnyProcessManager[],
  { name, service }: { readonly name: string | undefined; readonly service: string | undefined },
): readonly AnyProcessManager[] => {
  const found = managers.filter(
    (manager) =>
      (name === undefined || manager.name === name) && (service === undefined || manager.service === service),
  );
  if (found.length > 0) return found;
  const wanted = [name && `"${name}"`, service && `of the service "${service}"`].filter(Boolean).join(" ");
  const known = managers.map((manager) => `${manager.name} of ${manager.service}`).join(", ");
  throw new CliFailure(`there is no process manager ${wanted}: expected one of ${known}`, EXIT.notFound);
};

const mermaidText = (managers: readonly AnyProcessManager[]): string =>
  managers
    .map((manager) => `%% ${manager.service}: ${manager.name}. ${manager.purpose}\n${mermaidOf(manager)}`)
    .join("\n");

const write = (file: string, managers: readonly AnyProcessManager[]): void => {
  const ending = /\.(svg|mmd)$/.exec(file)?.[1];
  if (ending === undefined)
    throw new CliFailure(`cannot write "${file}": expected a name that ends with .svg or .mmd`, EXIT.usage);
  try {
    writeFileSync(file, ending === "svg" ? processesSvg(managers) : mermaidText(managers));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliFailure(`cannot write "${file}": ${reason}`, EXIT.failed);
  }
};
