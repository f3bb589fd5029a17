/** `npm run demo`: a stream of orders through the gateway, generated or from a retail file, and what became of them. */
import { type Clock, type Sleep, sleep, systemClock } from "#shared/runtime/clock.ts";
import { DEMO_USAGE, type DemoOptions, demoOptions } from "./demo/demo-options.ts";
import { generatedSummary, replaySummary } from "./demo/demo-summary.ts";
import { orderTally } from "./demo/order-tally.ts";
import { type ProgressOutput, progressOn } from "./demo/progress.ts";
import { type Run, runGenerated } from "./demo/run-generated.ts";
import { runReplay } from "./demo/run-replay.ts";
import { type ShopClient, shopClient } from "./demo/shop-client.ts";
import { CliFailure } from "./failure.ts";

/** What the demo touches of the world; progress goes to `err`, so that `out` holds the summary alone. */
export type DemoWorld = {
  fetch: typeof fetch;
  clock: Clock;
  sleep: Sleep;
  out: ProgressOutput;
  err: ProgressOutput;
};

const realWorld = (): DemoWorld => ({
  fetch,
  clock: systemClock,
  sleep,
  out: process.stdout,
  err: process.stderr,
});

/**
 * Exit code: 0 when every order was placed and came to an end, 1 otherwise.
 * @throws CliFailure with the line to print when it cannot begin or go on
 */
export const main = async (args: string[], world: DemoWorld = realWorld()): Promise<number> => {
  const options = demoOptions(args);
  if (!options.help) return demo(options, world);
  world.out.write(DEMO_USAGE);
  return 0;
};

const demo = async (options: DemoOptions, { fetch, clock, sleep, out, err }: DemoWorld): Promise<number> => {
  const client = shopClient({ url: options.url, fetch, clock, sleep });
  await reach(client, options.url);
  const run: Run = {
    journey: { client, tally: orderTally(), clock, sleep },
    progress: progressOn(err, clock),
    concurrency: options.concurrency,
    run: options.run ?? clock().toString(36),
  };
  const facts = () => ({ run: run.run, retries: client.retries() });
  if (options.orders === undefined) {
    const report = await runGenerated(options, run);
    out.write(
      options.json ? json({ ...facts(), seed: options.seed, ...report }) : generatedSummary(report, facts()),
    );
    return report.orders.failed + report.orders.unsettled === 0 ? 0 : 1;
  }
  const report = await runReplay(options.orders, run);
  out.write(options.json ? json({ ...facts(), ...report }) : replaySummary(report, facts()));
  const bad = report.orders.failed + report.orders.unsettled + report.cancellations.failed;
  return bad + report.setUpRefusals.length === 0 ? 0 : 1;
};

const reach = async (client: ShopClient, url: string): Promise<void> => {
  await client.reach().catch((error: Error) => {
    throw new CliFailure(
      `reaching the gateway at "${url}": ${error.message}; expected one there (npm start), or its address by --url`,
    );
  });
};

const json = (report: object): string => `${JSON.stringify(report, null, 2)}\n`;
