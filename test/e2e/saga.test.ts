/** A payment provider that fails, for a while or for good, or is slow: nothing is dropped, nothing is paid twice. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { eventually, expectStatus, itemsOf, type Shop, shopOf, textOf } from "./shop.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 1250, pieces: 100 });
});
afterAll(() => system?.close());
beforeEach(() => shop.provider.behave({ mode: "approve" }));

const placeOne = async () =>
  textOf(expectStatus(await shop.place([{ sku: "tea", quantity: 1 }]), 202).body, "orderId");

const parked = async () => itemsOf(await shop.request("/payments/v1/parked"));

const replay = (body: object) => shop.request("/payments/v1/parked/replays", { method: "POST", body });

test("a provider that fails twice and then approves has the order confirmed", async () => {
  await shop.provider.behave({ mode: "fail", times: 2 });
  const order = await shop.placeAndSettle([{ sku: "tea", quantity: 1 }]);
  expect(order.status).toBe("confirmed");
  expect(await shop.provider.authorisations(textOf(order, "orderId"))).toEqual({ count: 1, live: 1 });
  expect(await parked()).toEqual([]);
});

test("a provider that is slower than we wait has the order paid once", async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 3_000, times: 1 });
  const order = await shop.placeAndSettle([{ sku: "tea", quantity: 1 }]);
  expect(order.status).toBe("confirmed");
  expect(await shop.provider.authorisations(textOf(order, "orderId"))).toEqual({ count: 1, live: 1 });
});

test("one order's trouble does not hold up the others", async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 1_500, times: 1 });
  const troubled = await placeOne();
  await eventually(async () =>
    expect(await shop.provider.authorisations(troubled)).toMatchObject({ count: 1 }),
  );
  const other = await shop.placeAndSettle([{ sku: "tea", quantity: 1 }]);
  expect(other.status).toBe("confirmed");
  const late = await shop.settled(troubled);
  expect(late.status).toBe("confirmed");
  expect(textOf(other, "confirmedAt") < textOf(late, "confirmedAt")).toBe(true);
});

test("a provider that fails for good parks the payment with its reason; healed and replayed, the order is confirmed", async () => {
  await shop.provider.behave({ mode: "fail" });
  const orderId = await placeOne();
  const [event] = await eventually(async () => {
    const items = await parked();
    expect(items).toHaveLength(1);
    return items;
  });
  expect(event).toMatchObject({
    process: "collect-payment",
    source: "orders",
    aggregateId: orderId,
    type: "OrderStockReserved",
    attempts: 6,
    reason: { code: "provider_failed", detail: expect.stringContaining(`"${orderId}"`) },
    parkedAt: expect.stringMatching(/Z$/),
  });
  expect((await shop.order(orderId)).body?.status).toBe("placed");
  expect(await shop.history(orderId)).toEqual(["OrderPlaced", "OrderStockReserved"]);

  const target = { process: textOf(event, "process"), id: textOf(event, "id") };
  const one = `/payments/v1/parked/${target.id.replaceAll("/", "~")}`;
  expect(expectStatus(await shop.request(one), 200).body).toMatchObject({
    id: target.id,
    key: orderId,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    event: { type: "OrderStockReserved", data: expect.anything() },
  });
  expect(expectStatus(await replay(target), 502).body).toMatchObject({
    type: "/problems/replay_failed",
    detail: expect.stringContaining("provider_failed"),
  });
  expect(await parked()).toHaveLength(1);

  await shop.provider.behave({ mode: "approve" });
  expectStatus(await replay(target), 200);
  expect(await shop.settled(orderId)).toMatchObject({ status: "confirmed" });
  expect(await parked()).toEqual([]);
  expect(expectStatus(await replay(target), 404).body?.type).toBe("/problems/not_found");
});

test("a cancelled order whose payment is parked holds no money once its payment is replayed", async () => {
  await shop.provider.behave({ mode: "fail" });
  const orderId = await placeOne();
  await eventually(async () => expect(await parked()).toHaveLength(1));
  expectStatus(await shop.cancel(orderId), 202);
  await shop.provider.behave({ mode: "approve" });
  await eventually(async () => expect(await shop.payment(orderId)).toMatchObject({ status: "voided" }));
  for (const { process, id } of await parked()) expectStatus(await replay({ process, id }), 200);
  expect(await shop.provider.authorisations(orderId)).toMatchObject({ live: 0 });
  expect((await shop.order(orderId)).body?.status).toBe("cancelled");
});

const subscription = async (name: string) =>
  itemsOf(await shop.request("/payments/v1/subscriptions")).find((item) => item.name === name);

const change = (what: string, body?: object) =>
  shop.request(`/payments/v1/subscriptions/collect-payment/${what}`, {
    method: "POST",
    ...(body && { body }),
  });

test("a paused subscription takes no money until it is resumed, and a replay takes none twice", async () => {
  expectStatus(await change("pauses"), 200);
  const orderId = await placeOne();
  await eventually(async () => expect(await shop.history(orderId)).toContain("OrderStockReserved"));
  await eventually(async () =>
    expect(await subscription("collect-payment")).toMatchObject({
      source: "orders",
      paused: expect.stringMatching(/Z$/),
      lag: { commits: expect.any(Number) },
    }),
  );
  expect(await shop.provider.authorisations(orderId)).toMatchObject({ count: 0 });
  expectStatus(await change("resumes"), 200);
  expect(await shop.settled(orderId)).toMatchObject({ status: "confirmed" });
  expectStatus(await change("replays", { from: "2026-01-01T00:00:00Z" }), 202);
  await eventually(async () => {
    const now = await subscription("collect-payment");
    expect(now).toMatchObject({ lag: { commits: 0, seconds: 0 }, waiting: 0, parked: 0 });
  });
  expect(await shop.provider.authorisations(orderId)).toEqual({ count: 1, live: 1 });
});

test("a payment that is waiting for another attempt is told, and dropped once it is parked, for a reason", async () => {
  await shop.provider.behave({ mode: "fail" });
  await placeOne();
  await eventually(async () => expect(await subscription("collect-payment")).toMatchObject({ waiting: 1 }));
  const [event] = await eventually(async () => {
    const items = await parked();
    expect(items).toHaveLength(1);
    return items;
  });
  const at = `/payments/v1/parked/${textOf(event, "id").replaceAll("/", "~")}`;
  expectStatus(await shop.request(at, { method: "DELETE" }), 400);
  expectStatus(await shop.request(`${at}?reason=settled+by+hand`, { method: "DELETE" }), 200);
  expect(await parked()).toEqual([]);
});
