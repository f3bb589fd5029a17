/** Tells long-lived processes of a new epoch, so that they need not wait until they look by themselves. */
import { bounded } from "#shared/control/bounded.ts";
import { LIMITS } from "#shared/limits.ts";
import { sleep as realSleep, type Sleep } from "#shared/runtime/clock.ts";
import type { NatsConnector } from "./connection.ts";
import { EPOCH_SUBJECT } from "./subjects.ts";

/**
 * Returns what publishes `{"epoch": n}`. It never rejects and ends within `LIMITS.epochBroadcastMs`: who is not told of an
 * epoch finds it at the next look.
 */
export const epochBroadcast =
  ({ connector, sleep = realSleep }: { connector: Pick<NatsConnector, "get">; sleep?: Sleep }) =>
  async (epoch: number): Promise<void> => {
    try {
      await bounded({ ms: LIMITS.epochBroadcastMs, sleep }, async (signal) => {
        const connection = await connector.get();
        if (signal.aborted) return;
        connection.publish(EPOCH_SUBJECT, JSON.stringify({ epoch }));
        await connection.flush();
      });
    } catch {
      // NATS is away, and nothing that stands depends on it.
    }
  };
