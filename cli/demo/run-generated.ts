/** The demo with generated orders: sets the shop up, sends the orders, follows each to its end. */
import { CliFailure } from "../failure.ts";
import { type GeneratedOrder, generateOrders, productsFor } from "./generated-orders.ts";
import { idempotencyKey } from "./idempotency-key.ts";
import { type LaneWork, runInLanes } from "./lanes.ts";
import { followOrder, type Journey, placeOrder } from "./order-journey.ts";
import type { OrderFigures } from "./order-tally.ts";
import type { Progress } from "./progress.ts";
import { setUpShop } from "./set-up-shop.ts";
import { ShopRefusal } from "./shop-client.ts";

export type GeneratedReport = {
  /** From the first order until all were followed to their end. */
  orderingMs: number;
  orders: OrderFigures;
  /** What the shop answered to the customers who changed their mind. */
  cancellations: { accepted: number; tooLate: number };
};

export type Run = { journey: Journey; progress: Progress; concurrency: number; run: string };

/** @throws CliFailure when a product or its stock is refused */
export const runGenerated = async (
  { seed, count }: { seed: number; count: number },
  { journey, progress, concurrency, run }: Run,
): Promise<GeneratedReport> => {
  const { client, tally } = journey;
  const orders = generateOrders(seed, count);
  const [refusal] = await setUpShop(productsFor(orders), { client, concurrency, progress, run });
  if (refusal) throw new CliFailure(`setting the shop up: ${refusal}`);

  const cancellations = { accepted: 0, tooLate: 0 };
  const oneOrder = async ({ customerId, lines, regretted }: GeneratedOrder, index: number) => {
    const started = await placeOrder(journey, { customerId, lines }, idempotencyKey(run, seed, index));
    if (!started) return;
    if (regretted) {
      const key = idempotencyKey(run, seed, index, "cancel");
      const outcome = await client
        .cancel(started.placed.orderId, "changed my mind", key)
        .catch((error: unknown) => {
          if (!(error instanceof ShopRefusal)) throw error;
          tally.failed(error.message);
          return undefined;
        });
      if (outcome) cancellations[outcome === "accepted" ? "accepted" : "tooLate"] += 1;
    }
    await followOrder(journey, started);
  };

  async function* work(): AsyncGenerator<LaneWork> {
    for (const [index, order] of orders.entries())
      yield { lane: undefined, run: async () => ({ settled: oneOrder(order, index).then(progress.step) }) };
  }
  progress.begin("orders", orders.length);
  const startedAt = journey.clock();
  await runInLanes(work(), concurrency);
  progress.end();
  return { orderingMs: journey.clock() - startedAt, orders: tally.figures(), cancellations };
};
