/** `npm run streams`: makes the log's streams on the NATS server of NATS_URL, or verifies those that stand. */
import { applyStreams } from "#nats/apply-streams.ts";
import { readDurability } from "#nats/server-durability.ts";
import { CliFailure } from "./failure.ts";
import { natsAccessOf } from "./nats-access.ts";
import { checkNatsUrl } from "./nats-server.ts";

/** @throws CliFailure when NATS_URL is missing, its server cannot be used, or a stream stands that could forget */
export const main = async (args: string[]): Promise<number> => {
  if (args.length > 0) throw new CliFailure(`cannot use the argument "${args[0]}": expected none`);
  const { NATS_URL: natsUrl, NATS_MONITOR_URL: monitorUrl } = process.env;
  if (!natsUrl) {
    throw new CliFailure(
      "cannot make the streams: NATS_URL is not set, expected an address like nats://user:password@host:4222",
    );
  }
  const access = natsAccessOf(process.env);
  await checkNatsUrl(natsUrl, access);
  const applied = await applyStreams({ natsUrl, ...access }).catch(explained);
  for (const { stream, did } of applied) process.stdout.write(`${did} ${stream}\n`);
  if (!monitorUrl) return 0;
  const { durability, upToMs } = await readDurability(monitorUrl).catch(explained);
  process.stdout.write(
    `durability ${durability}: on disk up to ${upToMs / 1_000} s after the acknowledgement\n`,
  );
  return 0;
};

const explained = (error: unknown): never => {
  throw new CliFailure(error instanceof Error ? error.message : String(error));
};
