/** `npx skerry`: all commands, their help and their exit codes. */
import { Command } from "commander";
import { archiveCommands } from "./archive-commands.ts";
import { completionCommand } from "./completion-command.ts";
import { configCommands } from "./config-commands.ts";
import { flagsCommand } from "./flags-command.ts";
import { forgetCommand } from "./forget-commands.ts";
import { identityKeyCommands } from "./identity-key-commands.ts";
import { keyCommands } from "./key-commands.ts";
import { natsCommands } from "./nats-commands.ts";
import { parkedCommands } from "./parked-commands.ts";
import { processesCommand } from "./process-commands.ts";
import { projectionCommands } from "./projection-commands.ts";
import { registryCommands } from "./registry-commands.ts";
import { rolloutCommands } from "./rollout-commands.ts";
import { secretCommands } from "./secret-commands.ts";
import { session } from "./session.ts";
import { sessionKeyCommands } from "./session-key-commands.ts";
import { statusCommand } from "./status-command.ts";
import { subscriptionCommands } from "./subscription-commands.ts";
import type { Terminal } from "./terminal.ts";
import { tokenCommands } from "./token-commands.ts";

/** A command that is a program of its own and reads its own arguments. */
export interface OwnProgram {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
}

const GROUPS = [
  configCommands,
  registryCommands,
  rolloutCommands,
  projectionCommands,
  subscriptionCommands,
  parkedCommands,
  processesCommand,
  flagsCommand,
  secretCommands,
  tokenCommands,
  keyCommands,
  sessionKeyCommands,
  identityKeyCommands,
  statusCommand,
  natsCommands,
  archiveCommands,
  forgetCommand,
] as const;

const AFTER_HELP = `
Environment:
  SKERRY_URL       the gateway (http://localhost:8787)
  SKERRY_TOKEN     a bearer token; for a gateway of this machine the one of the data folder's control.json
  SKERRY_API_KEY   a key with the scope skerry:operate, for projection, subscription, parked, forget; a local
                   system needs none
  SKERRY_DATA_DIR  the data folder of a local start (.skerry/data)
  NATS_URL         the NATS server of nats plan and apply, and of archive export
  NO_COLOR         no colours in tables

Exit codes:
  0  done
  1  failed
  2  the command line is not right
  3  what is named is not there
  4  the token does not allow it, or is not known
  5  somebody else changed it, or something under way does not allow it now
  6  nobody answers
  7  changes wait to be applied (nats plan --detailed-exitcode)
`;

/**
 * The whole tree. It throws commander's errors instead of ending the process, and writes to the terminal only.
 * @param programs listed and completed, run by whoever dispatches
 */
export const skerryProgram = (terminal: Terminal, programs: readonly OwnProgram[]): Command => {
  const program = new Command("skerry");
  program.description("Runs the system, and configures it while it runs.").usage("<command> [options]");
  const shared = session(terminal);
  for (const { name, summary } of programs) program.command(name).summary(summary).helpOption(false);
  for (const group of GROUPS) program.addCommand(group(shared));
  program.addCommand(completionCommand(program, shared));
  program.addHelpText("after", AFTER_HELP);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      outputError: (text, write) => write(usageFault(text, command)),
      getOutHelpWidth: () => terminal.out.columns ?? 100,
      getErrHelpWidth: () => terminal.err.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  return program;
};

/** One line, with where to look the right way up. */
const usageFault = (text: string, command: Command): string => {
  const said = text
    .replace(/^error: /, "skerry: ")
    .trimEnd()
    .replaceAll("\n", " ")
    .replace(/\.$/, "");
  return `${said}; see npx ${fullName(command)} --help\n`;
};

const fullName = (command: Command): string =>
  command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
