/** The demo's own stream of orders: the same seed and count give the same products, stock, orders and cancellations. */

import { seededRandom } from "#shared/runtime/seeded-random.ts";
import type { OrderLine } from "./online-retail.ts";
import type { DemoProduct } from "./set-up-shop.ts";

export type GeneratedOrder = {
  customerId: string;
  lines: OrderLine[];
  /** Whether the customer thinks better of it at once. */
  regretted: boolean;
};

const GOODS = 20;
const CUSTOMERS = 40;
/** So few are ever in stock that whoever wants {@link HOARDED} of it is refused, whatever ran before. */
const LAST_ONES: DemoProduct = { sku: "demo-last-ones", name: "The last ones", amount: 9900, available: 10 };
const HOARDED = 25;
const SHARE_HOARDING = 0.06;
const SHARE_REGRETTED = 0.04;

export const generateOrders = (seed: number, count: number): GeneratedOrder[] => {
  const random = seededRandom(seed);
  const upTo = (max: number) => 1 + Math.floor(random() * max);
  return Array.from({ length: count }, () => {
    const lines = new Map<string, number>();
    for (let line = upTo(4); line > 0; line--) lines.set(goodsSku(upTo(GOODS)), upTo(5));
    const customerId = `demo-customer-${upTo(CUSTOMERS)}`;
    const fate = random();
    if (fate < SHARE_HOARDING) lines.set(LAST_ONES.sku, HOARDED);
    return {
      customerId,
      lines: [...lines].map(([sku, quantity]) => ({ sku, quantity })),
      regretted: fate >= SHARE_HOARDING && fate < SHARE_HOARDING + SHARE_REGRETTED,
    };
  });
};

/** What the orders need: enough of everything but the last ones. */
export const productsFor = (orders: readonly GeneratedOrder[]): DemoProduct[] => {
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of orders.flatMap((order) => order.lines))
    wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  const goods = Array.from({ length: GOODS }, (_, at): DemoProduct => {
    const sku = goodsSku(at + 1);
    return { sku, name: `Demo goods ${at + 1}`, amount: 250 + 175 * at, available: wanted.get(sku) ?? 0 };
  });
  return [...goods, LAST_ONES];
};

const goodsSku = (number: number): string => `demo-goods-${String(number).padStart(2, "0")}`;
