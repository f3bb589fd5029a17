/** `npm test`: fetches the NATS servers that tests run on, then runs vitest with the arguments it was given. */
import { NATS_BINARY, NATS_OLDEST_BINARY } from "#test/setup/nats.ts";
import { acquireNewestNats, acquireOldestNats, type NatsProgram } from "./acquire-nats.ts";
import { NATS_OLDEST } from "./nats-sources.ts";
import { sayOnTerminal as say } from "./progress.ts";
import { runProgram } from "./run-program.ts";
import { machineTools } from "./tools.ts";

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
  return runProgram("vitest", ["run", ...args], {
    [NATS_BINARY]: asVariable(newest),
    ...(oldest ? { [NATS_OLDEST_BINARY]: asVariable(oldest) } : {}),
  });
};
