/** The benchmark's command line. */
import { parseArgs } from "node:util";
import { CliFailure } from "#cli/failure.ts";

export const MEASUREMENTS = [
  "gateway",
  "append",
  "load",
  "commands",
  "order",
  "catch-up",
  "read-stores",
  "emmett",
  "propagation",
  "failures",
  "resilience",
] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

/** Several by one name. */
const GROUPS: Readonly<Record<string, readonly Measurement[]>> = {
  events: ["append", "load", "commands", "catch-up", "read-stores", "emmett"],
};

export interface BenchOptions {
  readonly only: readonly Measurement[];
  /** Shorter slices and fewer events: to see that it works, not to be quoted. */
  readonly quick: boolean;
  /** File for the figures; none when undefined. */
  readonly json: string | undefined;
  readonly help: boolean;
}

export const BENCH_USAGE = `npm run bench -- [options]

Measures the platform beside the bare thing that it stands on, in one run, as ratios. Takes about twenty-five minutes.

  --only LIST     some of: ${MEASUREMENTS.join(",")}
                  or events: ${GROUPS.events?.join(",")}
  --quick         shorter, to see that it works
  --json FILE     also write the figures to a file
`;

/** @throws CliFailure naming the option, its value and what was expected */
export const benchOptions = (args: readonly string[]): BenchOptions => {
  const values = parsed(args);
  const named = values.only?.split(",").flatMap((name) => GROUPS[name.trim()] ?? name.trim()) ?? MEASUREMENTS;
  const unknown = named.find((name) => !isMeasurement(name));
  if (unknown !== undefined)
    throw new CliFailure(`reading --only: "${unknown}", expected some of ${MEASUREMENTS.join(",")}`);
  return {
    only: MEASUREMENTS.filter((name) => named.includes(name)),
    quick: values.quick ?? false,
    json: values.json,
    help: values.help ?? false,
  };
};

const isMeasurement = (name: string): name is Measurement => MEASUREMENTS.some((known) => known === name);

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new CliFailure(`reading the benchmark's options: ${(error as Error).message.split("\n")[0]}`);
  }
};
