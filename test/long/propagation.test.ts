/** How soon a change is seen everywhere, over a KeyValue store that shows nothing for a minute. */
import { expect, test } from "vitest";
import { type ManyIsolatesOptions, startManyIsolates } from "../control/many-isolates.ts";
import { measurePropagation, type Propagation, quantile } from "../control/propagation.ts";

const LAG_MS = 60_000;

const propagation = async (
  options: Pick<ManyIsolatesOptions, "knowsBy" | "probes">,
  changes: number,
): Promise<Propagation> => {
  const ground = await startManyIsolates({ gateways: 1, lagMs: LAG_MS, ...options });
  try {
    return await measurePropagation(ground, { changes, boundMs: 4_000 });
  } finally {
    await ground.close();
  }
};

/** The promise, for each of the two tests to hold or to break. */
const withinASecond = ({ seenMs }: Propagation): boolean =>
  quantile(seenMs, 0.5) < 1_000 && quantile(seenMs, 0.99) < 3_000;

test("a change is seen by every isolate that has traffic, half of the time within a second, nearly always within three", async () => {
  const measured = await propagation({ probes: 8 }, 15);
  const ms = (share: number) => `${Math.round(quantile(measured.seenMs, share))} ms`;
  console.log(`  publish to seen: p50 ${ms(0.5)}, p99 ${ms(0.99)} of ${measured.seenMs.length}`);
  expect(measured.missed).toBe(0);
  expect(withinASecond(measured)).toBe(true);
}, 120_000);

test("without asking for the epoch, by the KeyValue store alone, it is not", async () => {
  const measured = await propagation({ probes: 2, knowsBy: "snapshots" }, 2);
  expect(withinASecond(measured)).toBe(false);
  expect(measured.missed).toBeGreaterThan(0);
});
