/** `npm run streams`: makes the log's streams on the NATS server of NATS_URL, or verifies those that stand. */
import { applyStreams } from "#nats/apply-streams.ts";
import { CliFailure } from "./failure.ts";
import { checkNatsUrl } from "./nats-server.ts";

/** @throws CliFailure when NATS_URL is missing, its server cannot be used, or a stream stands that could forget */
export const main = async (args: string[]): Promise<number> => {
  if (args.length > 0) throw new CliFailure(`cannot use the argument "${args[0]}": expected none`);
  const natsUrl = process.env.NATS_URL;
  if (!natsUrl) {
    throw new CliFailure(
      "cannot make the streams: NATS_URL is not set, expected an address like nats://user:password@host:4222",
    );
  }
  await checkNatsUrl(natsUrl);
  const applied = await applyStreams({ natsUrl }).catch((error: unknown) => {
    throw new CliFailure(error instanceof Error ? error.message : String(error));
  });
  for (const { stream, did } of applied) process.stdout.write(`${did} ${stream}\n`);
  return 0;
};
