/** An order from the catalog to the payment provider, and every way in which it ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { natsPrograms } from "../setup/nats.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { eventually, expectStatus, itemsOf, positionOf, type Shop, shopOf, textOf } from "./shop.ts";

describe.each(await natsPrograms())("on NATS $version", (program) => {
  let system: TestSystem;
  let shop: Shop;
  beforeAll(async () => {
    system = await startTestSystem({ program });
    shop = shopOf(system);
  });
  afterAll(() => system?.close());
  beforeEach(() => shop.provider.behave({ mode: "approve" }));

  test("an order is accepted, stands at its position, and is confirmed when stock and payment are there", async () => {
    await shop.offer("tea", { amount: 1250, pieces: 10 });
    const placed = expectStatus(await shop.place([{ sku: "tea", quantity: 3 }]), 202);
    const orderId = textOf(placed.body, "orderId");
    expect(placed.body).toEqual({
      orderId,
      status: "placed",
      customerId: "ada",
      lines: [{ sku: "tea", quantity: 3, price: { amount: 1250, currency: "EUR" } }],
      total: { amount: 3750, currency: "EUR" },
      placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(placed.headers.get("location")).toBe(`/orders/v1/orders/${orderId}`);
    const position = positionOf(placed);
    expect(position).toMatch(/^orders=\d+$/);

    const shown = expectStatus(await shop.order(orderId, position), 200);
    expect(shown.body).toMatchObject({ orderId, total: { amount: 3750 }, lines: placed.body?.lines });

    const confirmed = await shop.settled(orderId);
    expect(confirmed).toMatchObject({ status: "confirmed", confirmedAt: expect.any(String) });
    expect(await shop.history(orderId)).toEqual(["OrderPlaced", "OrderStockReserved", "OrderConfirmed"]);
    await eventually(async () =>
      expect(await shop.stock("tea")).toEqual({ sku: "tea", onHand: 10, reserved: 3, available: 7 }),
    );
    await eventually(async () =>
      expect(await shop.payment(orderId)).toMatchObject({
        status: "authorised",
        amount: { amount: 3750, currency: "EUR" },
      }),
    );
    expect(await shop.provider.authorisations(orderId)).toEqual({ count: 1, live: 1 });
  });

  test("the order's own history tells each event with its position, version and time", async () => {
    await shop.offer("history", { amount: 1, pieces: 1 });
    const { orderId } = await shop.placeAndSettle([{ sku: "history", quantity: 1 }]);
    const events = itemsOf(await shop.request(`/orders/v1/orders/${orderId}/events`));
    expect(events.map(({ version }) => version)).toEqual([1, 2, 3]);
    const positions = events.map(({ position }) => Number(position));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(events[0]?.data).toMatchObject({ orderId, customerId: "ada", total: { amount: 1 } });
  });

  test("an order for more than there is is rejected with the reason, and holds nothing", async () => {
    await shop.offer("scarce", { amount: 100, pieces: 2 });
    const order = await shop.placeAndSettle([{ sku: "scarce", quantity: 3 }]);
    expect(order).toMatchObject({ status: "rejected", reason: "out_of_stock" });
    expect(textOf(order, "detail")).toContain("scarce");
    expect(await shop.history(textOf(order, "orderId"))).toEqual(["OrderPlaced", "OrderRejected"]);
    expect(await shop.stock("scarce")).toMatchObject({ onHand: 2, reserved: 0 });
    expect(await shop.provider.authorisations(textOf(order, "orderId"))).toMatchObject({ count: 0 });
  });

  test("what a rejected order had of its other lines is free again", async () => {
    await shop.offer("plenty", { amount: 100, pieces: 5 });
    await shop.offer("never-received", { amount: 100 });
    const order = await shop.placeAndSettle([
      { sku: "plenty", quantity: 5 },
      { sku: "never-received", quantity: 1 },
    ]);
    expect(order).toMatchObject({ status: "rejected", reason: "out_of_stock" });
    await eventually(async () =>
      expect(await shop.stock("plenty")).toMatchObject({ onHand: 5, reserved: 0 }),
    );
  });

  test("a declined payment rejects the order and releases its stock", async () => {
    await shop.offer("dear", { amount: 99_999, pieces: 1 });
    await shop.provider.behave({ mode: "decline", times: 1 });
    const order = await shop.placeAndSettle([{ sku: "dear", quantity: 1 }]);
    expect(order).toMatchObject({ status: "rejected", reason: "payment_declined" });
    await eventually(async () => expect(await shop.stock("dear")).toMatchObject({ onHand: 1, reserved: 0 }));
    expect(await shop.provider.authorisations(textOf(order, "orderId"))).toMatchObject({ live: 0 });
    expect(await shop.placeAndSettle([{ sku: "dear", quantity: 1 }])).toMatchObject({ status: "confirmed" });
  });

  test("cancelling a confirmed order releases its stock and voids its payment", async () => {
    await shop.offer("regret", { amount: 500, pieces: 4 });
    const { orderId } = await shop.placeAndSettle([{ sku: "regret", quantity: 4 }]);
    const id = String(orderId);
    const cancelled = expectStatus(await shop.cancel(id, "too much tea"), 202);
    expect(cancelled.body).toEqual({ orderId: id, status: "cancelled", reason: "too much tea" });
    const shown = await shop.order(id, positionOf(cancelled));
    expect(shown.body).toMatchObject({ status: "cancelled", reason: "too much tea" });
    await eventually(async () =>
      expect(await shop.stock("regret")).toMatchObject({ onHand: 4, reserved: 0 }),
    );
    await eventually(async () => expect(await shop.payment(id)).toMatchObject({ status: "voided" }));
    expect(await shop.provider.authorisations(id)).toEqual({ count: 1, live: 0 });
  });

  test("an order that is cancelled at once keeps neither stock nor money", async () => {
    await shop.offer("hasty", { amount: 500, pieces: 20 });
    const orders = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const placed = expectStatus(await shop.place([{ sku: "hasty", quantity: 1 }]), 202);
        const orderId = textOf(placed.body, "orderId");
        expectStatus(await shop.cancel(orderId), 202);
        return orderId;
      }),
    );
    await eventually(async () =>
      expect(await shop.stock("hasty")).toMatchObject({ onHand: 20, reserved: 0 }),
    );
    for (const orderId of orders) {
      await eventually(async () => expect(await shop.payment(orderId)).toMatchObject({ status: "voided" }));
      expect(await shop.provider.authorisations(orderId)).toMatchObject({ live: 0 });
    }
    await eventually(async () => expect(await shop.stock("hasty")).toMatchObject({ reserved: 0 }));
  });

  test("of cancellations at once one wins and the others are told so", async () => {
    await shop.offer("contested", { amount: 500, pieces: 1 });
    const { orderId } = await shop.placeAndSettle([{ sku: "contested", quantity: 1 }]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => shop.cancel(String(orderId))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(7).fill(409)]);
    const refused = answers.filter(({ status }) => status === 409);
    for (const { body } of refused) expect(body?.type).toBe("/problems/order_already_cancelled");
    expect(await shop.history(String(orderId))).toEqual([
      "OrderPlaced",
      "OrderStockReserved",
      "OrderConfirmed",
      "OrderCancelled",
    ]);
  });

  test("a rejected order cannot be cancelled, one that does not exist is not found", async () => {
    await shop.offer("nothing-left", { amount: 500 });
    const { orderId } = await shop.placeAndSettle([{ sku: "nothing-left", quantity: 1 }]);
    const rejected = expectStatus(await shop.cancel(String(orderId)), 409);
    expect(rejected.body?.type).toBe("/problems/order_rejected");
    expect(rejected.headers.has("retry-after")).toBe(false);
    const unknown = "01932f6e-8f3a-7c52-b1de-0a4f6c1d9e77";
    for (const answer of [await shop.cancel(unknown), await shop.order(unknown)]) {
      expect(expectStatus(answer, 404).body?.type).toBe("/problems/order_not_found");
    }
    expectStatus(await shop.request(`/orders/v1/orders/${unknown}/events`), 404);
  });

  test("an order keeps the price that it was placed at", async () => {
    await shop.offer("volatile", { amount: 100, pieces: 10 });
    const before = await shop.placeAndSettle([{ sku: "volatile", quantity: 2 }]);
    await shop.offer("volatile", { amount: 300 });
    const shown = await shop.order(textOf(before, "orderId"));
    expect(shown.body).toMatchObject({ lines: [{ price: { amount: 100 } }], total: { amount: 200 } });
    await eventually(async () => {
      const after = expectStatus(await shop.place([{ sku: "volatile", quantity: 1 }]), 202);
      expect(after.body?.total).toEqual({ amount: 300, currency: "EUR" });
    });
  });

  test("an order of several lines, one sku among them twice, reserves the sum of each", async () => {
    await shop.offer("red", { amount: 10, pieces: 10 });
    await shop.offer("blue", { amount: 7, pieces: 10 });
    const order = await shop.placeAndSettle([
      { sku: "red", quantity: 2 },
      { sku: "blue", quantity: 1 },
      { sku: "red", quantity: 3 },
    ]);
    expect(order).toMatchObject({ status: "confirmed", total: { amount: 57, currency: "EUR" } });
    expect(order.lines).toHaveLength(3);
    await eventually(async () => {
      expect(await shop.stock("red")).toMatchObject({ reserved: 5 });
      expect(await shop.stock("blue")).toMatchObject({ reserved: 1 });
    });
  });

  test("lines in several currencies, or of unknown products, are no order", async () => {
    await shop.offer("euro", { amount: 10, pieces: 10 });
    await shop.offer("dollar", { amount: 10, currency: "USD", pieces: 10 });
    const mixed = await shop.place([
      { sku: "euro", quantity: 1 },
      { sku: "dollar", quantity: 1 },
    ]);
    expect(expectStatus(mixed, 422).body?.type).toBe("/problems/mixed_currencies");
    const unknown = expectStatus(await shop.place([{ sku: "not-offered", quantity: 1 }]), 422);
    expect(unknown.body?.type).toBe("/problems/unknown_product");
    expect(textOf(unknown.body, "detail")).toContain('"not-offered"');
    expect(await shop.stock("euro")).toMatchObject({ reserved: 0 });
  });

  test("orders that compete for the last pieces never get more than there is", async () => {
    await shop.offer("last", { amount: 10, pieces: 7 });
    const orders = await Promise.all(
      Array.from({ length: 15 }, () => shop.placeAndSettle([{ sku: "last", quantity: 1 }])),
    );
    const statuses = orders.map(({ status }) => status);
    expect(statuses.filter((status) => status === "confirmed")).toHaveLength(7);
    expect(statuses.filter((status) => status === "rejected")).toHaveLength(8);
    await eventually(async () => expect(await shop.stock("last")).toMatchObject({ onHand: 7, reserved: 7 }));
  });
});
