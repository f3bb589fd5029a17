/** Paged lists: every entry once, in order, also while others are added; cursors that nobody made up. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { eventually, expectStatus, itemsOf, nextOf, type Shop, shopOf, textOf } from "./shop.ts";

const ORDERS = 57;

let system: TestSystem;
let shop: Shop;
/** In the order of placing. */
const placed: { orderId: string; customerId: string }[] = [];

const placeFor = async (customerId: string, sku: string) => {
  const body = { customerId, lines: [{ sku, quantity: 1 }] };
  const answer = expectStatus(await shop.request("/orders/v1/orders", { method: "POST", body }), 202);
  return textOf(answer.body, "orderId");
};

beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 1250, pieces: 1000 });
  await shop.offer("none-left", { amount: 1250 });
  for (let count = 0; count < ORDERS; count++) {
    const customerId = count % 3 === 0 ? "even" : "odd";
    const orderId = await placeFor(customerId, count % 4 === 0 ? "none-left" : "tea");
    placed.push({ orderId, customerId });
  }
  await Promise.all(placed.map(({ orderId }) => shop.settled(orderId)));
  for (let sku = 0; sku < 23; sku++) await shop.offer(`sku-${sku}`, { amount: 1, pieces: 1 });
  await eventually(async () =>
    expect(await shop.everyPage("/payments/v1/payments?limit=100")).toHaveLength(ORDERS),
  );
});
afterAll(() => system?.close());

const idsOf = (items: readonly Readonly<Record<string, unknown>>[]) => items.map(({ orderId }) => orderId);

describe("orders", () => {
  const newestFirst = (of: (order: (typeof placed)[number], index: number) => boolean = () => true) =>
    placed
      .filter(of)
      .map(({ orderId }) => orderId)
      .reverse();

  test.each([1, 7, 19, 57, 100])("in pages of %i each is seen once, newest first", async (limit) => {
    expect(idsOf(await shop.everyPage(`/orders/v1/orders?limit=${limit}`))).toEqual(newestFirst());
  });

  test("a page holds 20 unless asked, and the last one names no next", async () => {
    expect(itemsOf(await shop.request("/orders/v1/orders"))).toHaveLength(20);
    const whole = await shop.request("/orders/v1/orders?limit=100");
    expect(whole.headers.get("link")).toBeNull();
  });

  test("filters hold on every page", async () => {
    expect(idsOf(await shop.everyPage("/orders/v1/orders?limit=4&customerId=even"))).toEqual(
      newestFirst(({ customerId }) => customerId === "even"),
    );
    expect(idsOf(await shop.everyPage("/orders/v1/orders?limit=4&status=rejected"))).toEqual(
      newestFirst((_, index) => index % 4 === 0),
    );
    expect(idsOf(await shop.everyPage("/orders/v1/orders?limit=4&status=confirmed&customerId=even"))).toEqual(
      newestFirst(({ customerId }, index) => customerId === "even" && index % 4 !== 0),
    );
    expect(await shop.everyPage("/orders/v1/orders?customerId=nobody")).toEqual([]);
  });

  test("orders that come while paging do not shift what is seen", async () => {
    const first = await shop.request("/orders/v1/orders?limit=10&status=confirmed");
    await Promise.all(Array.from({ length: 5 }, () => placeFor("latecomer", "none-left")));
    const rest = await shop.everyPage(nextOf(first) ?? "");
    expect(idsOf([...itemsOf(first), ...rest])).toEqual(newestFirst((_, index) => index % 4 !== 0));
  });

  const refused: [name: string, value: string][] = [
    ["limit", "0"],
    ["limit", "101"],
    ["limit", "-1"],
    ["limit", "1.5"],
    ["limit", "1e1"],
    ["limit", ""],
    ["status", "lost"],
    ["customerId", "a b"],
    ["unknown", "1"],
    ["cursor", "not-a-cursor"],
    ["cursor", ""],
    ["cursor", "eyJ4IjoxfQ"],
    ["cursor", "x".repeat(5_000)],
    ["cursor", btoa('"1 OR 1=1"')],
  ];
  test.each(refused)("%s=%.40s is refused", async (name, value) => {
    const answer = await shop.request(`/orders/v1/orders?${new URLSearchParams({ [name]: value })}`);
    expect(expectStatus(answer, 400).body?.type).toBe("/problems/invalid_parameter");
  });

  test("a cursor that was changed in any place is refused", async () => {
    const answer = await shop.request("/orders/v1/orders?limit=1");
    const next = new URL(nextOf(answer) ?? "", shop.url);
    const cursor = next.searchParams.get("cursor") ?? "";
    for (let index = 0; index < cursor.length; index += 3) {
      const changed = `${cursor.slice(0, index)}!${cursor.slice(index + 1)}`;
      next.searchParams.set("cursor", changed);
      expectStatus(await shop.request(`${next.pathname}${next.search}`), 400);
    }
  });
});

describe("the other lists", () => {
  test("products and stock are seen once each, by sku", async () => {
    for (const path of ["/catalog/v1/products?limit=5", "/inventory/v1/stock?limit=5"]) {
      const skus = (await shop.everyPage(path)).map(({ sku }) => sku);
      const expected = ["tea", ...Array.from({ length: 23 }, (_, sku) => `sku-${sku}`)];
      if (path.startsWith("/catalog")) expected.push("none-left");
      expect(skus).toEqual(expected.sort());
    }
  });

  test("an order's events are seen once each, oldest first", async () => {
    const [{ orderId } = { orderId: "" }] = placed;
    await shop.settled(orderId);
    const types = (await shop.everyPage(`/orders/v1/orders/${orderId}/events?limit=1`)).map(
      ({ type }) => type,
    );
    expect(types).toEqual(await shop.history(orderId));
    expect(types.length).toBeGreaterThan(1);
  });

  test("payments are seen once each, those of the newest orders first", async () => {
    const ids = placed.map(({ orderId }) => orderId);
    expect(idsOf(await shop.everyPage("/payments/v1/payments?limit=9")).slice(-ORDERS)).toEqual(
      ids.reverse(),
    );
  });
});
