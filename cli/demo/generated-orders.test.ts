import { expect, it } from "vitest";
import { generateOrders, productsFor } from "./generated-orders.ts";

it("gives the same orders for the same seed, others for another", () => {
  expect(generateOrders(1, 50)).toEqual(generateOrders(1, 50));
  expect(generateOrders(1, 50)).not.toEqual(generateOrders(2, 50));
  expect(generateOrders(1, 50).slice(0, 10)).toEqual(generateOrders(1, 10));
});

it("asks for more of the last ones than there are in some orders, and for what is there in the others", () => {
  const orders = generateOrders(1, 200);
  const stock = new Map(productsFor(orders).map(({ sku, available }) => [sku, available]));
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of orders.flatMap((order) => order.lines))
    wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  const hoarded = orders.flatMap(({ lines }) => lines.filter(({ sku }) => sku === "demo-last-ones"));
  expect(hoarded.length).toBeGreaterThan(5);
  for (const { sku, quantity } of hoarded) expect(quantity).toBeGreaterThan(stock.get(sku) ?? 0);
  wanted.delete("demo-last-ones");
  for (const [sku, quantity] of wanted) expect(stock.get(sku)).toBe(quantity);
  expect(orders.filter((order) => order.regretted).length).toBeGreaterThan(3);
});
