/** What must hold after any fault: everything acknowledged is in the log once, and all who follow the log agree with it. */
import { expect, vi } from "vitest";
import { expectStatus, itemsOf, type Shop } from "../e2e/shop.ts";
import { type LoggedEvent, loggedEvents } from "./logged-events.ts";
import type { LoadReport } from "./order-load.ts";

const SETTLE_MS = 30_000;
const LOOK_AGAIN_MS = 250;

type Line = { sku: string; quantity: number };
type LoggedOrder = { status: string; lines: Line[]; types: string[] };

const STATUS: Readonly<Record<string, string>> = {
  OrderPlaced: "placed",
  OrderConfirmed: "confirmed",
  OrderRejected: "rejected",
  OrderCancelled: "cancelled",
};

const foldOrders = (events: readonly LoggedEvent[]): Map<string, LoggedOrder> => {
  const orders = new Map<string, LoggedOrder>();
  for (const { type, subject, data } of events) {
    // Processes have histories of their own there.
    if (!subject.startsWith("order/")) continue;
    const orderId = String(data.orderId);
    const known = orders.get(orderId) ?? { status: "placed", lines: [], types: [] };
    orders.set(orderId, {
      status: STATUS[type] ?? known.status,
      lines: type === "OrderPlaced" ? (data.lines as Line[]) : known.lines,
      types: [...known.types, type],
    });
  }
  return orders;
};

const foldStock = (events: readonly LoggedEvent[]): Map<string, { onHand: number; reserved: number }> => {
  const stock = new Map<string, { onHand: number; reserved: number }>();
  for (const { type, data } of events) {
    if (!["StockReceived", "StockAllocated", "StockDeallocated"].includes(type)) continue;
    const { onHand, reserved } = stock.get(String(data.sku)) ?? { onHand: 0, reserved: 0 };
    const quantity = Number(data.quantity);
    stock.set(String(data.sku), {
      onHand: onHand + (type === "StockReceived" ? quantity : 0),
      reserved:
        reserved + (type === "StockAllocated" ? quantity : type === "StockDeallocated" ? -quantity : 0),
    });
  }
  return stock;
};

const sumBySku = (orders: Iterable<LoggedOrder>): Map<string, number> => {
  const sums = new Map<string, number>();
  for (const { lines } of orders) {
    for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  }
  return sums;
};

/** One history for each aggregate: versions without a gap, no event twice. */
const expectWholeHistories = (events: readonly LoggedEvent[]): void => {
  const versions = new Map<string, number>();
  for (const { subject, version } of events) {
    expect([subject, version]).toEqual([subject, (versions.get(subject) ?? 0) + 1]);
    versions.set(subject, version);
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
};

const expectAcknowledged = (orders: ReadonlyMap<string, LoggedOrder>, report: LoadReport): void => {
  const acknowledged = [...report.orders.values()];
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  expect([...orders.keys()].sort()).toEqual(acknowledged.sort());
  for (const { types } of orders.values()) {
    expect(types[0]).toBe("OrderPlaced");
    expect(new Set(types).size).toBe(types.length);
  }
  for (const orderId of report.cancelled) expect(orders.get(orderId)?.status).toBe("cancelled");
};

const expectProjections = async (
  shop: Shop,
  orders: ReadonlyMap<string, LoggedOrder>,
  stock: ReadonlyMap<string, { onHand: number; reserved: number }>,
): Promise<void> => {
  const shownOrders = await shop.everyPage("/orders/v1/orders?limit=100");
  const statuses = shownOrders.map(({ orderId, status }) => [orderId, status]);
  expect(statuses.sort()).toEqual([...orders].map(([orderId, { status }]) => [orderId, status]).sort());
  const shownStock = await shop.everyPage("/inventory/v1/stock?limit=100");
  const levels = shownStock.map(({ sku, onHand, reserved }) => [sku, { onHand, reserved }]);
  expect(levels).toEqual([...stock].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const expectPayments = async (shop: Shop, orders: ReadonlyMap<string, LoggedOrder>): Promise<void> => {
  const authorisations = await shop.provider.everyAuthorisation();
  expect(new Set(authorisations.map(({ orderId }) => orderId)).size).toBe(authorisations.length);
  const live = authorisations.filter(({ status }) => status === "live").map(({ orderId }) => orderId);
  const confirmed = [...orders]
    .filter(([, { status }]) => status === "confirmed")
    .map(([orderId]) => orderId);
  expect(live.sort()).toEqual(confirmed.sort());
  const payments = await shop.everyPage("/payments/v1/payments?limit=100");
  const authorised = payments.filter(({ status }) => status === "authorised").map(({ orderId }) => orderId);
  expect(authorised.sort()).toEqual(confirmed);
};

/**
 * Waits until every order has ended, and holds the log, the read models and the provider against each other.
 * Everything that was placed must be in the report.
 */
export const expectConsistent = (natsUrl: string, shop: Shop, report: LoadReport): Promise<void> =>
  vi.waitFor(
    async () => {
      const [orderEvents, stockEvents, paymentEvents] = await Promise.all(
        ["orders", "inventory", "payments"].map((service) => loggedEvents(natsUrl, service)),
      );
      for (const events of [orderEvents, stockEvents, paymentEvents]) expectWholeHistories(events ?? []);
      const orders = foldOrders(orderEvents ?? []);
      const stock = foldStock(stockEvents ?? []);
      expectAcknowledged(orders, report);
      expect([...orders.values()].filter(({ status }) => status === "placed")).toEqual([]);
      await expectProjections(shop, orders, stock);
      const held = sumBySku([...orders.values()].filter(({ status }) => status === "confirmed"));
      for (const [sku, { reserved }] of stock) expect([sku, reserved]).toEqual([sku, held.get(sku) ?? 0]);
      await expectPayments(shop, orders);
      for (const service of ["orders", "inventory", "payments"]) {
        expect(itemsOf(await shop.request(`/${service}/v1/parked`))).toEqual([]);
      }
      expectStatus(await shop.request("/readyz"), 200);
    },
    { timeout: SETTLE_MS, interval: LOOK_AGAIN_MS },
  );

/** Every key again, as clients do that lost the answer: each gets the order that it stands for. */
export const expectKeysRemembered = async (
  shop: Shop,
  { orders }: LoadReport,
  bodyOf: (key: string) => object,
): Promise<void> => {
  const keys = [...orders.keys()].slice(-100);
  const again = await Promise.all(
    keys.map((key) =>
      shop.request("/orders/v1/orders", {
        method: "POST",
        body: bodyOf(key),
        headers: { "idempotency-key": key },
      }),
    ),
  );
  const answers = again.map((answer) => String(expectStatus(answer, 202).body?.orderId));
  expect(answers).toEqual(keys.map((key) => orders.get(key)));
};
