/**
 * Makes the streams that `streams.ts` declares, or verifies those that stand. Changing what one keeps is for
 * `npx skerry nats apply`.
 */
import { type NatsAccess, openConnection } from "./open-connection.ts";
import type { StreamPlan } from "./plan.ts";
import { applyPlan, planServer } from "./plan-server.ts";
import { DEPLOY_USER, inboxPrefix } from "./subjects.ts";

/** Long: at a start the machine is busy building, and nobody's request waits for this. */
const CONNECT_MS = 10_000;

export interface AppliedStream {
  stream: string;
  did: "created" | "changed" | "verified";
}

/** How a stream is read, not what it keeps: made here, or else a newer version could not start on an older one's streams. */
const READ_ALONE: ReadonlySet<string> = new Set(["allow_direct"]);

const DID = { create: "created", change: "changed", nothing: "verified", refuse: "verified" } as const;

/**
 * @param options `replicas`: copies of each stream; absent: as they stand, one for a new one
 * @throws Error naming the stream when one stands with settings under which it could forget
 */
export const applyStreams = async ({
  natsUrl,
  replicas,
  ...access
}: Omit<NatsAccess, "servers"> & { natsUrl: string; replicas?: number | undefined }): Promise<
  AppliedStream[]
> => {
  const connection = await openConnection({
    ...access,
    servers: natsUrl,
    inboxPrefix: inboxPrefix(DEPLOY_USER),
    reconnect: false,
    timeout: CONNECT_MS,
  });
  try {
    const plan = await planServer(connection, { replicas });
    for (const stream of plan.streams) refuseDifference(stream);
    await applyPlan(connection, plan, { replicas });
    return plan.streams.map(({ stream, does }) => ({
      stream,
      did: DID[does],
    }));
  } finally {
    await connection.close();
  }
};

const refuseDifference = ({ stream, changes }: StreamPlan): void => {
  const first = changes.find(({ setting }) => !READ_ALONE.has(setting));
  if (!first) return;
  const { setting, from, to, refused } = first;
  const expected = to === undefined ? "none" : JSON.stringify(to);
  const how = refused ?? "`npx skerry nats plan` shows the difference, `apply` makes it";
  throw new Error(
    `Cannot use the stream "${stream}": ${setting} is ${JSON.stringify(from)}, expected ${expected} (${how})`,
  );
};
