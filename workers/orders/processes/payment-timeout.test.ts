import { describe, it } from "vitest";
import { due, happened, reactingProcess } from "#shared/cqrs/process-manager-specification.ts";
import { type PaymentTimeoutSettings, paymentTimeout } from "./payment-timeout.ts";

const settings: PaymentTimeoutSettings = { paymentTimeoutMs: 60_000 };
const { given, when } = reactingProcess(paymentTimeout, settings);
const orderId = "instance";
const reserved = happened("orders.OrderStockReserved", { orderId });

describe("an order whose stock is held", () => {
  it("may be paid for as long as the configuration says", () =>
    when(reserved).does([{ enters: "unpaid" }, { starts: "payment", inMs: 60_000 }]));

  it("is rejected when its payment was not answered by then", () =>
    given([reserved])
      .when(due("payment"))
      .does([
        { enters: "timed out" },
        {
          sends: "RejectOrder",
          to: "order",
          id: orderId,
          command: {
            type: "RejectOrder",
            orderId,
            reason: "payment_timeout",
            detail: "The payment was not answered in time.",
          },
        },
      ]));

  it.each(["OrderConfirmed", "OrderRejected", "OrderCancelled"])("is waited for no longer after %s", (type) =>
    given([reserved])
      .when(happened(`orders.${type}`, { orderId }))
      .does([{ enters: "settled" }, { cancels: "payment" }]),
  );
});

describe("an order that ended before its stock was held", () => {
  it("is never waited for", () =>
    given([happened("orders.OrderCancelled", { orderId })])
      .when(reserved)
      .changesNothing());
});

describe("an order that timed out", () => {
  it("is done with: its own rejection changes nothing", () =>
    given([reserved, due("payment")])
      .when(happened("orders.OrderRejected", { orderId }))
      .changesNothing());
});
