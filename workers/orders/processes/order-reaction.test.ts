import { describe, it } from "vitest";
import { reacting } from "#shared/cqrs/specification-reacting.ts";
import type { InventoryEvent } from "../../inventory/contract.ts";
import type { PaymentEvent } from "../../payments/contract.ts";
import { followPayment } from "./follow-payment.ts";
import { followStock } from "./follow-stock.ts";

const orderId = "o1";
const amount = { amount: 100, currency: "EUR" } as const;
const toOrder = (command: object) => [{ type: "order", id: orderId, command: { orderId, ...command } }];

const reserved: InventoryEvent = {
  type: "StockReserved",
  data: { orderId, lines: [{ sku: "tea", quantity: 1 }] },
};
const refused: InventoryEvent = { type: "StockRefused", data: { orderId, sku: "tea", detail: "only 1" } };
const authorised: PaymentEvent = {
  type: "PaymentAuthorised",
  data: { orderId, amount, authorisationId: "a1" },
};
const declined: PaymentEvent = { type: "PaymentDeclined", data: { orderId, amount, detail: "no funds" } };

describe("an order", () => {
  it("may be paid once its stock is held, and is rejected when it is short", async () => {
    const { when } = reacting(followStock);
    await when(reserved).sends(toOrder({ type: "RecordStockReserved" }));
    await when(refused).sends(toOrder({ type: "RejectOrder", reason: "out_of_stock", detail: "only 1" }));
  });

  it("is confirmed once it is paid, and rejected when it cannot be", async () => {
    const { when } = reacting(followPayment);
    await when(authorised).sends(toOrder({ type: "ConfirmOrder" }));
    await when(declined).sends(
      toOrder({ type: "RejectOrder", reason: "payment_declined", detail: "no funds" }),
    );
  });

  it.each(["unavailable", "conflict"])("that answers %s is told again later", async (code) => {
    const { given } = reacting(followStock);
    await given({ refusal: { code, detail: "" } })
      .when(reserved)
      .refuses(code);
  });
});
