/** Every command of the project: `npm start`, `npm test`, `npx skerry config …`. Failures become one line and an exit code. */
import { CliFailure } from "./failure.ts";
import type { OwnProgram } from "./skerry/skerry-program.ts";

interface Program extends OwnProgram {
  /** Resolves with the module whose `main` resolves with the exit code. It throws a CliFailure with the line to print. */
  load(): Promise<{ main(args: string[]): Promise<number> }>;
}

/** Whatever is not here is a command of the control plane, and has a tree of its own. */
const PROGRAMS: readonly Program[] = [
  { name: "start", summary: "run the whole system (npm start)", load: () => import("./start.ts") },
  { name: "dev", summary: "run it, built anew whenever a file is saved", load: () => import("./dev.ts") },
  { name: "test", summary: "run the tests (npm test)", load: () => import("./test.ts") },
  { name: "check", summary: "check types, style, migrations and more", load: () => import("./check.ts") },
  { name: "streams", summary: "make the log's streams on NATS_URL", load: () => import("./streams.ts") },
  { name: "demo", summary: "send a stream of orders", load: () => import("#cli/demo.ts") },
  { name: "bench", summary: "measure the system", load: () => import("#test/bench/run.ts") },
  {
    name: "simulate",
    summary: "simulate many isolates around an upstream in trouble",
    load: () => import("#test/simulation/run.ts"),
  },
];

const run = async (args: string[]): Promise<number> => {
  const [name, ...rest] = args;
  const program = PROGRAMS.find((known) => known.name === name);
  if (program) return (await program.load()).main(rest);
  const [{ runSkerry }, { processTerminal }] = await Promise.all([
    import("./skerry/run-skerry.ts"),
    import("./skerry/terminal.ts"),
  ]);
  return runSkerry(args, processTerminal(), PROGRAMS);
};

/** Ends the process when all that was written has left it: a pipe may be slower than we are. */
const end = (code: number): void => {
  process.stdout.write("", () => process.exit(code));
};

run(process.argv.slice(2)).then(end, (error: unknown) => {
  const explained = error instanceof CliFailure;
  process.stderr.write(
    explained ? `skerry: ${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`,
  );
  end(explained ? error.exitCode : 1);
});
