/** From publishing a change to each busy isolate's first answer by it, over a KeyValue store that lags a minute. */
import { startManyIsolates } from "../control/many-isolates.ts";
import { measurePropagation, quantile } from "../control/propagation.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";

const KEY_VALUE_LAG_MS = 60_000;
const BOUND_MS = 10_000;

export const measurePublishToSeen = async (_ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const isolates = await startManyIsolates({ probes: 8, gateways: 1, lagMs: KEY_VALUE_LAG_MS });
  try {
    const { seenMs } = await measurePropagation(isolates, { changes: quick ? 5 : 40, boundMs: BOUND_MS });
    const figure = (name: string, share: number, atMost: number): Figure => ({
      name: `publishing → seen by 8 busy isolates, ${name}`,
      unit: "ms",
      ours: quantile(seenMs, share),
      atMost,
    });
    return [figure("p50", 0.5, 1_000), figure("p99", 0.99, 3_000)];
  } finally {
    await isolates.close();
  }
};
