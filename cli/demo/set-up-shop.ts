/** Puts the products and the stock that a demo needs, so that its orders meet the same shop whatever ran before. */
import { idempotencyKey } from "./idempotency-key.ts";
import { type LaneWork, runInLanes } from "./lanes.ts";
import type { Progress } from "./progress.ts";
import { type ShopClient, ShopRefusal } from "./shop-client.ts";

/** A product as the catalogue gets it, in minor units of GBP, and how many of it must be for sale. */
export type DemoProduct = { sku: string; name: string; amount: number; available: number };

/** One delivery's pieces; more come as several. */
const RECEIPT_QUANTITY_MAX = 1_000_000;

/** Receives only what is missing. Returns what the shop refused, one message each. */
export const setUpShop = async (
  products: readonly DemoProduct[],
  {
    client,
    concurrency,
    progress,
    run,
  }: { client: ShopClient; concurrency: number; progress: Progress; run: string },
): Promise<string[]> => {
  const refusals: string[] = [];
  const stock = async ({ available, ...product }: DemoProduct) => {
    await client.putProduct({ ...product, currency: "GBP" });
    let missing = available - (await client.available(product.sku));
    for (let receipt = 0; missing > 0; receipt++) {
      const quantity = Math.min(missing, RECEIPT_QUANTITY_MAX);
      await client.receive(
        product.sku,
        quantity,
        idempotencyKey(run, "receipt", product.sku, receipt, missing),
      );
      missing -= quantity;
    }
  };
  async function* work(): AsyncGenerator<LaneWork> {
    for (const product of products)
      yield {
        lane: undefined,
        run: async () => {
          await stock(product).catch((error: unknown) => {
            if (!(error instanceof ShopRefusal)) throw error;
            refusals.push(error.message);
          });
          progress.step();
          return { settled: Promise.resolve() };
        },
      };
  }
  progress.begin("products and stock", products.length);
  await runInLanes(work(), concurrency);
  progress.end();
  return refusals;
};
