/** `npm run bench`: the platform beside the bare things that it stands on, as ratios of one run. */
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireNewestNats } from "#cli/acquire-nats.ts";
import { sayOnTerminal as say, step } from "#cli/progress.ts";
import { machineTools } from "#cli/tools.ts";
import { BENCH_USAGE, type BenchOptions, benchOptions, type Measurement } from "./bench-options.ts";
import { type BenchGround, benchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { machineFacts } from "./machine-facts.ts";
import { measureAppend } from "./measure-append.ts";
import { measureCatchUp } from "./measure-catch-up.ts";
import { measureCommands } from "./measure-commands.ts";
import { measureEmmett } from "./measure-emmett.ts";
import { measureFailures } from "./measure-failures.ts";
import { measureGateway } from "./measure-gateway.ts";
import { measureLoad } from "./measure-load.ts";
import { measureOrder } from "./measure-order.ts";
import { measurePublishToSeen } from "./measure-propagation.ts";
import { measureReadStores } from "./measure-read-stores.ts";
import { measureResilience } from "./measure-resilience.ts";
import { reportTable } from "./report-table.ts";

type Measure = (ground: BenchGround, quick: boolean) => Promise<Figure[]>;

const STEPS: Readonly<Record<Measurement, { title: string; measure: Measure }>> = {
  gateway: { title: "Gateway beside a bare pass-through worker", measure: measureGateway },
  append: { title: "Append through the log beside the NATS client's own publish", measure: measureAppend },
  load: { title: "Loading an aggregate from its snapshot beside its history", measure: measureLoad },
  commands: {
    title: "Commands through an Actor, and how soon their rows are there",
    measure: measureCommands,
  },
  order: { title: "Placing an order beside the bare path", measure: measureOrder },
  "catch-up": { title: "A projection catching up beside its two halves", measure: measureCatchUp },
  "read-stores": {
    title: "Read models set by set beside row by row, in each store",
    measure: measureReadStores,
  },
  emmett: { title: "The same append, load and projection with Emmett", measure: measureEmmett },
  failures: { title: "An instance in trouble, and who notices", measure: measureFailures },
  propagation: { title: "A change on its way to many isolates", measure: measurePublishToSeen },
  resilience: { title: "Breaker and pipeline beside cockatiel and opossum", measure: measureResilience },
};

/** Exit code 0 whatever the figures are: they inform, they do not judge. @throws CliFailure, Error when something broke */
export const main = async (args: string[]): Promise<number> => {
  const options = benchOptions(args);
  if (!options.help) return bench(options);
  process.stdout.write(BENCH_USAGE);
  return 0;
};

const bench = async ({ only, quick, json }: BenchOptions): Promise<number> => {
  const folder = temporaryFolder();
  const nats = await acquireNewestNats({ tools: machineTools(new AbortController().signal) });
  const machine = machineFacts(nats.version);
  const ground = await step("Building the workers", () => benchGround({ folder, natsBinary: nats.path }));
  const figures: Record<string, Figure[]> = {};
  for (const name of only) {
    const { title, measure } = STEPS[name];
    figures[name] = await step(title, () => measure(ground, quick));
  }
  process.stdout.write(reportTable(Object.values(figures).flat(), machine));
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify({ machine, quick, figures }, null, 2)}\n`);
    say(`  Written to ${json}`);
  }
  return 0;
};

/** Removed when the process ends, also by Ctrl-C; NATS and workerd end with the process by themselves. */
const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  return folder;
};
