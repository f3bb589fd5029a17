import { describe, expect, it } from "vitest";
import { specification } from "#shared/cqrs/specification.ts";
import type { OrderEvent, OrderLine } from "./contract.ts";
import { type OrderCommand, order } from "./domain.ts";

const AT = Date.parse("2026-01-31T12:00:00.000Z");
const orderId = "01932f6e-8f3a-7c52-b1de-0a4f6c1d9e77";
const line = (sku: string, quantity: number, amount: number, currency = "EUR") =>
  ({ sku, quantity, price: { amount, currency } }) as OrderLine;
const lines = [line("tea", 2, 1250), line("cup", 1, 799)];
const total = { amount: 3299, currency: "EUR" } as const;

const placed: OrderEvent = {
  type: "OrderPlaced",
  data: { orderId, customerId: "ada", lines, total, placedAt: "2026-01-31T12:00:00.000Z" },
};
const stockReserved: OrderEvent = {
  type: "OrderStockReserved",
  data: { orderId, customerId: "ada", total },
};
const confirmed: OrderEvent = { type: "OrderConfirmed", data: { orderId } };
const rejected: OrderEvent = {
  type: "OrderRejected",
  data: { orderId, reason: "out_of_stock", detail: "none left" },
};
const cancelled: OrderEvent = { type: "OrderCancelled", data: { orderId, reason: "changed my mind" } };

const place = (ordered: readonly OrderLine[] = lines): OrderCommand => ({
  type: "PlaceOrder",
  orderId,
  customerId: "ada",
  lines: ordered,
  at: AT,
});
const WINDOW_MINUTES = 30;
const cancel = (afterMs = 1_000): OrderCommand => ({
  type: "CancelOrder",
  orderId,
  reason: "changed my mind",
  at: AT + afterMs,
  windowMinutes: WINDOW_MINUTES,
});
const confirm: OrderCommand = { type: "ConfirmOrder", orderId };
const recordStock: OrderCommand = { type: "RecordStockReserved", orderId };
const reject: OrderCommand = { type: "RejectOrder", orderId, reason: "out_of_stock", detail: "none left" };

const { given } = specification(order);

describe("placing an order", () => {
  it("records its lines at today's prices, and their sum", () => given([]).when(place()).records([placed]));

  it("happens once: repeating it changes nothing", () => given([placed]).when(place()).records([]));

  it("refuses lines in two currencies", () =>
    given([])
      .when(place([line("tea", 1, 100), line("cup", 1, 100, "USD")]))
      .refuses("mixed_currencies", '"cup"'));

  it("refuses a total that cannot be counted exactly", () =>
    given([])
      .when(place([line("tea", 1_000_000, Number.MAX_SAFE_INTEGER)]))
      .refuses("total_too_large"));
});

describe("on its way", () => {
  it("may be paid as soon as its stock is held, once", () => {
    given([placed]).when(recordStock).records([stockReserved]);
    given([placed, stockReserved]).when(recordStock).records([]);
  });

  it("is confirmed once", () => {
    given([placed, stockReserved]).when(confirm).records([confirmed]);
    given([placed, stockReserved, confirmed]).when(confirm).records([]);
  });

  it("is rejected with the reason", () => given([placed]).when(reject).records([rejected]));

  it.each([
    ["rejected", rejected],
    ["cancelled", cancelled],
  ])("is not touched by late news once it is %s", (_, end) => {
    for (const news of [recordStock, confirm, reject]) given([placed, end]).when(news).records([]);
  });

  it("is not rejected any more once it is confirmed", () =>
    given([placed, stockReserved, confirmed]).when(reject).records([]));
});

describe("cancelling", () => {
  it("ends an order that is placed or confirmed", () => {
    given([placed]).when(cancel()).records([cancelled]);
    given([placed, stockReserved, confirmed]).when(cancel()).records([cancelled]);
  });

  it("tells the second who cancels that another was first", () =>
    given([placed, cancelled]).when(cancel()).refuses("order_already_cancelled", orderId));

  it("is refused for a rejected order and for one that never was", () => {
    given([placed, rejected]).when(cancel()).refuses("order_rejected", orderId);
    given([]).when(cancel()).refuses("order_not_found", orderId);
  });

  it("is too late for a confirmed order when the window has passed, to the millisecond", () => {
    const history = [placed, stockReserved, confirmed];
    given(history)
      .when(cancel(WINDOW_MINUTES * 60_000))
      .records([cancelled]);
    given(history)
      .when(cancel(WINDOW_MINUTES * 60_000 + 1))
      .refuses("cancellation_too_late", "30 minutes");
  });

  it("is never too late for an order that waits to be confirmed", () =>
    given([placed])
      .when(cancel(WINDOW_MINUTES * 60_000 * 100))
      .records([cancelled]));
});

it("folds events that it does not know as if they were not there", () => {
  const unknown = { type: "OrderGiftWrapped", data: { orderId } } as unknown as OrderEvent;
  const state = order.evolve(order.initialState(), placed);
  expect(order.evolve(state, unknown)).toEqual(state);
});
