/**
 * `npm test`: fetches the NATS servers and the runtimes that tests run on, then runs vitest with the arguments it was given.
 * `npm run test:long` runs those that take minutes instead.
 */
import { NATS_BINARY, NATS_OLDEST_BINARY } from "#test/setup/nats.ts";
import { acquireNewestNats, acquireOldestNats, type NatsProgram } from "./acquire-nats.ts";
import { acquireRuntime, RUNTIME_NAMES } from "./acquire-runtimes.ts";
import { NATS_OLDEST } from "./nats-sources.ts";
import { sayOnTerminal as say } from "./progress.ts";
import { runProgram } from "./run-program.ts";
import { machineTools, type Tools } from "./tools.ts";

const LONG = "--long";

const asVariable = ({ version, path }: NatsProgram): string => `${version}=${path}`;

/** @throws CliFailure when no NATS server at all could be had */
export const main = async (args: string[]): Promise<number> => {
  const tools = machineTools(new AbortController().signal);
  const newest = await acquireNewestNats({ tools });
  const oldest = await acquireOldestNats({ tools });
  say(
    oldest
      ? `  Testing on NATS ${oldest.version} and ${newest.version}`
      : `  Testing on NATS ${newest.version} only: ${NATS_OLDEST}, the oldest supported, could not be had`,
  );
  const isLong = args.includes(LONG);
  if (!isLong) await acquireRuntimes(tools);
  const config = isLong ? ["--config", "vitest.long.config.ts"] : [];
  return runProgram("vitest", ["run", ...config, ...args.filter((arg) => arg !== LONG)], {
    [NATS_BINARY]: asVariable(newest),
    ...(oldest ? { [NATS_OLDEST_BINARY]: asVariable(oldest) } : {}),
  });
};

/** Tests find them in the cache; those of one that cannot be had are skipped. */
const acquireRuntimes = async (tools: Tools): Promise<void> => {
  const all = RUNTIME_NAMES.map(async (runtime) => ({
    runtime,
    got: await acquireRuntime(runtime, { tools }),
  }));
  for (const { runtime, got } of await Promise.all(all))
    if (!got.ok) say(`  Skipping the tests of processes on ${runtime}: ${got.error}`);
};
