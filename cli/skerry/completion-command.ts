/** `npx skerry completion <shell>`: a script for the shell, and the answers that the script asks for. */
import { Command, type Option } from "commander";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { COMPLETION_SCRIPTS } from "./completion-scripts.ts";
import type { Session } from "./session.ts";

/** A person waits for it at every press of Tab. */
const ASK_MS = 800;

export const completionCommand = (program: Command, session: Session): Command =>
  new Command("completion")
    .argument("<shell>", "bash, zsh or fish")
    .argument("[words...]")
    .usage("<shell>")
    .summary("print a script that completes commands in bash, zsh or fish")
    .description(
      'Prints a completion script. For bash, into ~/.bashrc: eval "$(npx skerry completion bash)". It completes "skerry" and "npx skerry".',
    )
    .action(async (shell: string, words: readonly string[]) => {
      if (shell === "words") return sayWords(await completions(program, session, words), session);
      const script = COMPLETION_SCRIPTS[shell];
      if (script === undefined) {
        throw new CliFailure(
          `cannot complete in "${shell}": expected ${Object.keys(COMPLETION_SCRIPTS).join(", ")}`,
          EXIT.usage,
        );
      }
      session.terminal.out.write(script);
    });

const sayWords = (words: readonly string[], { terminal }: Session): void => {
  terminal.out.write(words.map((word) => `${word}\n`).join(""));
};

/** What may stand where the last word is; it never fails, because a person is typing. */
const completions = async (
  program: Command,
  session: Session,
  words: readonly string[],
): Promise<string[]> => {
  const typed = words.slice(0, -1);
  const { command, rest } = commandOf(program, typed);
  const found = await candidates(command, rest, session);
  const start = words.at(-1) ?? "";
  return found.filter((word) => word.startsWith(start) && (start !== "" || !word.startsWith("-")));
};

const commandOf = (
  program: Command,
  typed: readonly string[],
): { command: Command; rest: readonly string[] } => {
  const [first, ...others] = typed;
  const next = program.commands.find((command) => command.name() === first);
  return next ? commandOf(next, others) : { command: program, rest: typed };
};

const candidates = async (command: Command, rest: readonly string[], session: Session): Promise<string[]> => {
  if (command.commands.length > 0) return [...command.commands.map((child) => child.name()), "--help"];
  const last = rest.at(-1);
  const option = command.options.find(
    ({ long, short }) => last !== undefined && (long === last || short === last),
  );
  if (option && takesValue(option)) return option.long === "--profile" ? names(session, "profile") : [];
  const options = [...command.options.flatMap(({ long }) => long ?? []), "--help"];
  const argument = command.registeredArguments[positionIn(command, rest)]?.name();
  return [
    ...options,
    ...(argument === "service" ? await names(session, "service") : (FIXED[argument ?? ""] ?? [])),
  ];
};

const FIXED: Readonly<Record<string, readonly string[]>> = {
  shell: Object.keys(COMPLETION_SCRIPTS),
  state: ["up", "out_of_service"],
};

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** How many arguments stand there already. */
const positionIn = (command: Command, rest: readonly string[]): number => {
  let position = 0;
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? "";
    const option = command.options.find(({ long, short }) => long === word || short === word);
    if (option && takesValue(option)) index += 1;
    else if (!word.startsWith("-")) position += 1;
  }
  return position;
};

/** Names that the running system knows; none when it does not answer soon. */
const names = async ({ client }: Session, of: "service" | "profile"): Promise<string[]> => {
  try {
    const asked = client(ASK_MS);
    const documents = await asked.documents();
    const services = of === "service" ? await asked.services() : [];
    return [
      ...new Set([...documents.map((document) => document[of]), ...services.map(({ service }) => service)]),
    ].sort();
  } catch {
    return [];
  }
};
