/** One order from placing to its end, counted on the way. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { OrderLine } from "./online-retail.ts";
import type { OrderTally } from "./order-tally.ts";
import { type PlacedOrder, type ShopClient, ShopRefusal } from "./shop-client.ts";

export type Journey = { client: ShopClient; tally: OrderTally; clock: Clock; sleep: Sleep };

/** How long an order is followed before it is reported as unsettled. */
const SETTLE_MS = 60_000;
const POLL_MS = { first: 10, max: 500 };

export type StartedOrder = { placed: PlacedOrder; startedAt: number };

/** Undefined when it could not be placed; that is counted. */
export const placeOrder = async (
  { client, tally, clock }: Journey,
  order: { customerId: string; lines: OrderLine[] },
  idempotencyKey: string,
): Promise<StartedOrder | undefined> => {
  const startedAt = clock();
  try {
    const placed = await client.place(order, idempotencyKey);
    tally.placed(clock() - startedAt);
    return { placed, startedAt };
  } catch (error) {
    return countFailure(tally, error);
  }
};

/** Asks until the order is confirmed, rejected or cancelled, or the time is over. */
export const followOrder = async (
  { client, tally, clock, sleep }: Journey,
  { placed, startedAt }: StartedOrder,
): Promise<void> => {
  const deadline = clock() + SETTLE_MS;
  try {
    for (let waitMs = POLL_MS.first; ; waitMs = Math.min(waitMs * 2, POLL_MS.max)) {
      const order = await client.order(placed);
      if (order?.status === "confirmed") return tally.confirmed(clock() - startedAt);
      if (order?.status === "rejected") return tally.rejected(order.reason || "no reason given");
      if (order?.status === "cancelled") return tally.cancelled();
      if (clock() >= deadline) return tally.unsettled(placed.orderId);
      await sleep(waitMs);
    }
  } catch (error) {
    countFailure(tally, error);
  }
};

const countFailure = (tally: OrderTally, error: unknown): undefined => {
  if (!(error instanceof ShopRefusal)) throw error;
  tally.failed(error.message);
};
