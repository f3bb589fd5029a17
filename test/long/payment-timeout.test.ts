/** A payment provider that never answers: the order is rejected in time, and what it held is given back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlClient } from "#cli/control-client.ts";
import { eventually, expectStatus, itemsOf, type Shop, shopOf, textOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 1250, pieces: 10 });
});
afterAll(() => system?.close());

const reservedOrder = async () => {
  const placed = expectStatus(await shop.place([{ sku: "tea", quantity: 1 }]), 202);
  const orderId = textOf(placed.body, "orderId");
  await eventually(async () => expect(await shop.history(orderId)).toContain("OrderStockReserved"));
  return orderId;
};

const subscription = async (name: string) =>
  itemsOf(await shop.request("/orders/v1/subscriptions")).find((item) => item.name === name);

test("an unanswered payment rejects its order after the time that is configured now, and frees its stock", async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 60_000 });
  const patient = await reservedOrder();
  const control = controlClient({ url: system.url, token: system.controlToken });
  await control.publish({ service: "orders", profile: "default" }, { content: { paymentTimeoutMs: 1_000 } });

  const orders = [patient];
  // Isolates hear of the change a moment later: orders from before then go by the time that was in force.
  const order = await eventually(async () => {
    const orderId = await reservedOrder();
    orders.push(orderId);
    return shop.settled(orderId, 3_000);
  }, 20_000);
  expect(order).toMatchObject({
    status: "rejected",
    reason: "payment_timeout",
    detail: "The payment was not answered in time.",
  });
  expect(await shop.history(textOf(order, "orderId"))).toEqual([
    "OrderPlaced",
    "OrderStockReserved",
    "OrderRejected",
  ]);
  expect((await shop.order(patient)).body?.status).toBe("placed");

  const held = orders.length - 1;
  await eventually(async () => expect(await shop.stock("tea")).toMatchObject({ reserved: held }));
  await shop.provider.behave({ mode: "approve" });
  const orderId = textOf(order, "orderId");
  await eventually(async () => expect(await shop.payment(orderId)).toMatchObject({ status: "voided" }));
  await eventually(async () =>
    expect(await shop.provider.authorisations(orderId)).toMatchObject({ live: 0 }),
  );
});

test("timeouts that run outlive a restart of the workers, and an answered payment ends its own", async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 60_000 });
  const orderId = await reservedOrder();
  system = await system.restartWorkers();
  shop = shopOf(system);
  expect(await shop.settled(orderId)).toMatchObject({ status: "rejected", reason: "payment_timeout" });

  await shop.provider.behave({ mode: "approve" });
  const paid = await shop.placeAndSettle([{ sku: "tea", quantity: 1 }]);
  expect(paid.status).toBe("confirmed");
  await eventually(async () =>
    expect(await subscription("payment-timeout")).toMatchObject({ lag: { commits: 0 }, parked: 0 }),
  );
  expect(await subscription("payment-timeout-timeouts")).toMatchObject({ lag: { commits: 0 }, parked: 0 });
  expect((await shop.order(textOf(paid, "orderId"))).body?.status).toBe("confirmed");
});
