/** A query that names the position of a command never shows the state before it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { expectStatus, itemsOf, positionOf, type Shop, shopOf, textOf } from "./shop.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 5, pieces: 1_000 });
  // Without stock, so that the hundreds of orders are not also hundreds of payments.
  await shop.offer("sold-out", { amount: 5 });
});
afterAll(() => system?.close());

const ORDERS = 240;
/** So many at once, with so many lines each, that the read model is behind for a while: only then a wait is needed. */
const CLIENTS = 40;
const LINES = Array.from({ length: 100 }, () => ({ sku: "sold-out", quantity: 1 }));

const inParallel = (clients: number, work: (client: number) => Promise<void>) =>
  Promise.all(Array.from({ length: clients }, (_, client) => work(client)));

test("every order of hundreds is there for the query that its client sends next, alone and in the list", async () => {
  await inParallel(CLIENTS, async (client) => {
    const customerId = `reader-${client}`;
    for (let count = 1; count <= ORDERS / CLIENTS; count++) {
      const body = { customerId, lines: LINES };
      const placed = expectStatus(await shop.request("/orders/v1/orders", { method: "POST", body }), 202);
      const orderId = textOf(placed.body, "orderId");
      const headers = { "skerry-min-position": positionOf(placed) };
      const [shown, listed] = await Promise.all([
        shop.order(orderId, positionOf(placed)),
        shop.request(`/orders/v1/orders?customerId=${customerId}&limit=100`, { headers }),
      ]);
      expect(expectStatus(shown, 200).body).toMatchObject({ orderId, customerId });
      const ids = itemsOf(listed).map((item) => item.orderId);
      expect(ids).toHaveLength(count);
      expect(ids[0]).toBe(orderId);
    }
  });
});

test("a cancellation is never followed by the state before it", async () => {
  await inParallel(CLIENTS, async () => {
    for (let count = 0; count < 2; count++) {
      const placed = expectStatus(await shop.place([{ sku: "tea", quantity: 1 }]), 202);
      const orderId = textOf(placed.body, "orderId");
      const cancelled = expectStatus(await shop.cancel(orderId), 202);
      const shown = await shop.order(orderId, positionOf(cancelled));
      expect(expectStatus(shown, 200).body?.status).toBe("cancelled");
    }
  });
});

test("a receipt is counted for the query that names its position", async () => {
  for (let pieces = 1; pieces <= 20; pieces++) {
    const receipt = { method: "POST", body: { quantity: 1 } };
    const received = expectStatus(await shop.request("/inventory/v1/stock/counted/receipts", receipt), 201);
    const headers = { "skerry-min-position": positionOf(received) };
    const shown = await shop.request("/inventory/v1/stock/counted", { headers });
    expect(expectStatus(shown, 200).body?.onHand).toBe(pieces);
  }
});

test("a position that is not reached is told within its bound, and the client when to ask again", async () => {
  const ahead = await shop.request("/orders/v1/orders", {
    headers: { "skerry-min-position": "orders=999999999" },
  });
  expect(expectStatus(ahead, 503).body?.type).toBe("/problems/position_not_reached");
  expect(ahead.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(ahead.tookMs).toBeGreaterThan(1_500);
  expect(ahead.tookMs).toBeLessThan(2_900);
});

test("positions of other services, and several in one header, concern only their own service", async () => {
  const headers = { "skerry-min-position": "inventory=999999999, orders=1, payments=999999999" };
  expectStatus(await shop.request("/orders/v1/orders", { headers }), 200);
});

test.each([
  "orders",
  "orders=",
  "orders=x",
  "orders=-1",
  "orders=1;",
  "=1",
  "orders=1e9",
  ",",
  "Orders=1",
  "",
])("the position %j is refused as malformed", async (value) => {
  const answer = await shop.request("/orders/v1/orders", { headers: { "skerry-min-position": value } });
  expect(expectStatus(answer, 400).body?.type).toBe("/problems/invalid_parameter");
});
