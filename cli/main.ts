/** The commands behind `npm start`, `npm test` and the others: finds the one asked for and turns its failure into one line. */
import { CliFailure } from "./failure.ts";

interface Command {
  /** Resolves with the exit code. @throws CliFailure with the line to print */
  main(args: string[]): Promise<number>;
}

const COMMANDS: Record<string, () => Promise<Command>> = {
  start: () => import("./start.ts"),
  dev: () => import("./dev.ts"),
  test: () => import("./test.ts"),
  check: () => import("./check.ts"),
  streams: () => import("./streams.ts"),
  demo: () => import("#cli/demo.ts"),
  bench: () => import("#test/bench/run.ts"),
};

const run = async ([name = "", ...args]: string[]): Promise<number> => {
  const load = COMMANDS[name];
  if (!load)
    throw new CliFailure(`cannot run "${name}": expected one of ${Object.keys(COMMANDS).join(", ")}`);
  return (await load()).main(args);
};

run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const explained = error instanceof CliFailure;
    process.stderr.write(
      explained ? `skerry: ${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`,
    );
    process.exit(1);
  },
);
