/** One Idempotency-Key is one command, however often, however concurrently and however late it comes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { type Answer, eventually, expectStatus, itemsOf, type Shop, shopOf, textOf } from "./shop.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 1250, pieces: 100 });
});
afterAll(() => system?.close());

const lines = [{ sku: "tea", quantity: 1 }];
const key = (value: string) => ({ "idempotency-key": value });
const distinct = (answers: readonly Answer[], of: (answer: Answer) => unknown) => [
  ...new Set(answers.map(of)),
];

const expectOneAnswer = (answers: readonly Answer[], status: number): Answer => {
  expect(distinct(answers, (answer) => answer.status)).toEqual([status]);
  expect(distinct(answers, ({ text }) => text)).toHaveLength(1);
  for (const name of ["skerry-position", "location", "content-type"]) {
    expect(distinct(answers, ({ headers }) => headers.get(name))).toHaveLength(1);
  }
  return answers[0] as Answer;
};

const ordersOf = async (customerId: string) =>
  itemsOf(await shop.request(`/orders/v1/orders?customerId=${customerId}`));

const placeFor = (customerId: string, headers: Record<string, string>, ordered: unknown = lines) =>
  shop.request("/orders/v1/orders", { method: "POST", body: { customerId, lines: ordered }, headers });

test("50 requests at once with one key are one order, and each gets the same bytes", async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => placeFor("fifty", key("once-1"))));
  const answer = expectOneAnswer(answers, 202);
  const orderId = textOf(answer.body, "orderId");
  expect(await shop.settled(orderId)).toMatchObject({ status: "confirmed" });
  expect(await ordersOf("fifty")).toHaveLength(1);
  expect(await shop.history(orderId)).toEqual(["OrderPlaced", "OrderStockReserved", "OrderConfirmed"]);

  const late = await placeFor("fifty", key("once-1"));
  expectOneAnswer([answer, late], 202);
});

test("a key that comes with another body is refused, and so is not a second order", async () => {
  const first = expectStatus(await placeFor("reuser", key("reused")), 202);
  const second = await placeFor("reuser", key("reused"), [{ sku: "tea", quantity: 2 }]);
  expect(expectStatus(second, 422).body?.type).toBe("/problems/idempotency_key_reused");
  expectOneAnswer([first, await placeFor("reuser", key("reused"))], 202);
  await shop.settled(textOf(first.body, "orderId"));
  expect(await ordersOf("reuser")).toHaveLength(1);
});

test("of different bodies at once under one key one is taken and the others are refused", async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      placeFor("rivals", key("rivals"), [{ sku: "tea", quantity: 1 + (index % 3) }]),
    ),
  );
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 422);
  expect(accepted).toHaveLength(4);
  expect(refused).toHaveLength(8);
  const { body } = expectOneAnswer(accepted, 202);
  await shop.settled(textOf(body, "orderId"));
  expect(await ordersOf("rivals")).toHaveLength(1);
});

test("the same body in other words has the same key's answer", async () => {
  const send = (body: string) =>
    shop.request("/orders/v1/orders", { method: "POST", body, headers: key("words") });
  const first = await send('{"customerId":"words","lines":[{"sku":"tea","quantity":1}]}');
  const second = await send('{ "lines": [ {"quantity": 1, "sku": "tea"} ], "customerId": "words" }');
  expectOneAnswer([first, second], 202);
});

test("the price that the first request got is what a repetition is told", async () => {
  await shop.offer("drifting", { amount: 100, pieces: 5 });
  const first = expectStatus(await placeFor("drift", key("drift"), [{ sku: "drifting", quantity: 1 }]), 202);
  await shop.offer("drifting", { amount: 900 });
  await eventually(async () => {
    const other = await placeFor("drift", {}, [{ sku: "drifting", quantity: 1 }]);
    expect(other.body?.total).toMatchObject({ amount: 900 });
  });
  expectOneAnswer([first, await placeFor("drift", key("drift"), [{ sku: "drifting", quantity: 1 }])], 202);
});

test("quoted and bare forms are one key; what is no key is refused", async () => {
  const bare = await placeFor("forms", key("a-form"));
  expectOneAnswer([bare, await placeFor("forms", key('"a-form"'))], 202);
  for (const malformed of ["", "two words", "a,b", `"open`, "x".repeat(256)]) {
    const { body } = expectStatus(await placeFor("forms", key(malformed)), 400);
    expect(body?.type).toBe("/problems/invalid_parameter");
  }
});

test("a receipt is taken into stock once per key, for each sku apart", async () => {
  const receive = (sku: string, quantity: number) =>
    shop.request(`/inventory/v1/stock/${sku}/receipts`, {
      method: "POST",
      body: { quantity },
      headers: key("delivery-7"),
    });
  const answers = await Promise.all(Array.from({ length: 50 }, () => receive("crate", 5)));
  expectOneAnswer(answers, 201);
  expect(await shop.stock("crate")).toMatchObject({ onHand: 5 });
  expectStatus(await receive("crate", 6), 422);
  expectStatus(await receive("barrel", 6), 201);
  await eventually(async () => expect(await shop.stock("barrel")).toMatchObject({ onHand: 6 }));
  expect(await shop.stock("crate")).toMatchObject({ onHand: 5 });
});

test("keys outlive a restart of the workers", async () => {
  const before = expectStatus(await placeFor("restarted", key("durable")), 202);
  await shop.settled(textOf(before.body, "orderId"));
  system = await system.restartWorkers();
  shop = shopOf(system);
  const after = await Promise.all(Array.from({ length: 10 }, () => placeFor("restarted", key("durable"))));
  expectOneAnswer([before, ...after], 202);
  expectStatus(await placeFor("restarted", key("durable"), [{ sku: "tea", quantity: 2 }]), 422);
  expect(await ordersOf("restarted")).toHaveLength(1);
});

test("a cancellation repeated under its key is told the same again, another is told that it came second", async () => {
  const placed = expectStatus(await placeFor("canceller", key("to-cancel")), 202);
  const orderId = textOf(placed.body, "orderId");
  await shop.settled(orderId);
  const cancel = (headers: Record<string, string>) =>
    shop.request(`/orders/v1/orders/${orderId}/cancellation`, {
      method: "POST",
      body: { reason: "changed my mind" },
      headers,
    });
  const answers = await Promise.all(Array.from({ length: 8 }, () => cancel(key("cancel-1"))));
  expectOneAnswer(answers, 202);
  expect(expectStatus(await cancel(key("cancel-2")), 409).body?.type).toBe(
    "/problems/order_already_cancelled",
  );
  expectStatus(await cancel({}), 409);
});
