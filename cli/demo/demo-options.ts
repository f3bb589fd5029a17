/** The demo's command line: what it takes, what it means, and what is refused. */
import { parseArgs } from "node:util";
import { CliFailure } from "../failure.ts";

export type DemoOptions = {
  /** The gateway's address without a slash at its end. */
  url: string;
  seed: number;
  count: number;
  concurrency: number;
  /** Names the run; undefined: a new one. */
  run: string | undefined;
  /** A file of the UCI Online Retail format to replay; undefined: generated orders. */
  orders: string | undefined;
  json: boolean;
  help: boolean;
};

export const DEMO_USAGE = `npm run demo -- [options]

Sends a stream of orders through the gateway and reports what became of them.

  --url URL          the gateway (http://localhost:8787)
  --count N          orders to generate (200)
  --seed N           the same seed gives the same orders (1)
  --orders FILE      replay a file of the UCI Online Retail format instead, .csv or .csv.gz
  --concurrency N    orders under way at once (8)
  --run ID           names the run; the same ID again repeats its requests under the same Idempotency-Keys,
                     so that nothing is ordered twice (a new ID each time)
  --json             print the summary as JSON

Exit code 0 when every order was placed and came to an end, confirmed or not; else 1.
`;

/** @throws CliFailure naming the option, its value and what was expected */
export const demoOptions = (args: readonly string[]): DemoOptions => {
  const values = parsed(args);
  return {
    url: address(values.url ?? "http://localhost:8787"),
    seed: wholeNumber("--seed", values.seed ?? "1", 0, 2 ** 32 - 1),
    count: wholeNumber("--count", values.count ?? "200", 1, 1_000_000),
    concurrency: wholeNumber("--concurrency", values.concurrency ?? "8", 1, 256),
    run: values.run,
    orders: values.orders,
    json: values.json ?? false,
    help: values.help ?? false,
  };
};

const parsed = (args: readonly string[]) => {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: string,
        seed: string,
        count: string,
        concurrency: string,
        run: string,
        orders: string,
        json: boolean,
        help: { ...boolean, short: "h" },
      },
    }).values;
  } catch (error) {
    throw new CliFailure(`reading the demo's options: ${(error as Error).message.split("\n")[0]}`);
  }
};

const wholeNumber = (option: string, value: string, min: number, max: number): number => {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new CliFailure(`reading ${option}: "${value}", expected a whole number from ${min} to ${max}`);
};

const address = (value: string): string => {
  const url = URL.parse(value);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.href.replace(/\/+$/, "");
  throw new CliFailure(`reading --url: "${value}", expected an http:// or https:// address`);
};
