/** Runs one command of `npx skerry` and says how it ended. */
import { CommanderError } from "commander";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { type OwnProgram, skerryProgram } from "./skerry-program.ts";
import { printable, type Terminal } from "./terminal.ts";

/**
 * @param args without the program's name
 * @returns the exit code; whatever a person must know is written by then
 */
export const runSkerry = async (
  args: readonly string[],
  terminal: Terminal,
  programs: readonly OwnProgram[],
): Promise<number> => {
  try {
    await skerryProgram(terminal, programs).parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    // Commander has written its own message, and help is asked for with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof CliFailure)) throw error;
    terminal.err.write(`skerry: ${printable(error.message)}\n`);
    return error.exitCode;
  }
};
