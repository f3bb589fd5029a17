/** A read model that is rebuilt in each store, beside the same rows written one by one with its driver: D1 in workerd, the others in Node. */
import { performance } from "node:perf_hooks";
import { startStores } from "./bench-stores.ts";
import type { BenchGround } from "./bench-system.ts";
import { type Figure, median } from "./figure.ts";

/** Events a second into D1. */
const AIM = 30_000;

export const measureReadStores = async (_ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const all = quick ? 4_000 : 100_000;
  const few = quick ? 2_000 : 20_000;
  const stores = await startStores();
  const figures: Figure[] = [];
  try {
    for (const store of stores) {
      const rounds = Array.from({ length: quick ? 1 : 3 });
      const ours: number[] = [];
      const bare: number[] = [];
      for (const _ of rounds) {
        ours.push(all / (await seconds(await store.rebuild(all))));
        bare.push(few / (await seconds(await store.writeRowByRow(few))));
      }
      const name = `rebuilding a read model in ${store.name}`;
      const [middle, slow] = [median(ours), median(bare)];
      figures.push(
        { name, unit: "events/s", ours: middle, ...(store.name === "D1" && { aim: AIM }) },
        { name: "… beside row by row", unit: "events/s", ours: middle, bare: slow, ratio: middle / slow },
      );
    }
    return figures;
  } finally {
    for (const store of stores) await store.close();
  }
};

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
};
