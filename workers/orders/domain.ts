/** The order: placed, then confirmed, rejected or cancelled. No I/O, no clock. */
import type { Aggregate, Decision } from "#shared/cqrs/aggregate.ts";
import type { Failure } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";
import { err, ok } from "#shared/result.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";
import type { ORDERS_PROBLEMS, OrderEvent, OrderLine, RejectionReason } from "./contract.ts";

export type OrderCommand =
  | {
      readonly type: "PlaceOrder";
      readonly orderId: string;
      readonly customerId: string;
      readonly lines: readonly OrderLine[];
      /** Forgotten with the customer; no decision depends on it. */
      readonly deliveryAddress?: string | undefined;
      /** Epoch milliseconds. */
      readonly at: number;
    }
  | { readonly type: "RecordStockReserved"; readonly orderId: string }
  | { readonly type: "ConfirmOrder"; readonly orderId: string }
  | {
      readonly type: "RejectOrder";
      readonly orderId: string;
      readonly reason: RejectionReason;
      readonly detail: string;
    }
  | {
      readonly type: "CancelOrder";
      readonly orderId: string;
      readonly reason: string;
      readonly at: number;
      /** A confirmed order may be cancelled this long after it was placed; then it counts as handed over. */
      readonly windowMinutes: number;
    };

type Command<Type extends OrderCommand["type"]> = Extract<OrderCommand, { type: Type }>;

export type OrderState =
  | { readonly status: "none" }
  | {
      readonly status: "placed" | "confirmed";
      readonly customerId: string;
      readonly total: Money;
      /** Epoch milliseconds. */
      readonly placedAt: number;
      readonly stockReserved: boolean;
    }
  | { readonly status: "rejected" | "cancelled" };

type Refusal = Failure<keyof typeof ORDERS_PROBLEMS>;

const refuse = (code: Refusal["code"], detail: string): { ok: false; error: Refusal } =>
  err({ code, detail });

/** The sum of all lines, or why there is none. */
const totalOf = (lines: readonly OrderLine[]) => {
  const currency = lines[0]?.price.currency ?? "";
  const other = lines.find(({ price }) => price.currency !== currency);
  if (other) {
    const detail = `Line "${other.sku}" is priced in "${other.price.currency}", expected "${currency}" as in the first line.`;
    return refuse("mixed_currencies", detail);
  }
  const amount = lines.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0);
  if (!Number.isSafeInteger(amount)) {
    return refuse(
      "total_too_large",
      `The total is "${amount}", expected at most ${Number.MAX_SAFE_INTEGER}.`,
    );
  }
  return ok({ amount, currency } as Money);
};

const place = (
  { orderId, customerId, lines, deliveryAddress, at }: Command<"PlaceOrder">,
  state: OrderState,
): Decision<OrderEvent> => {
  // The id is new for every order, so only a repetition can meet itself here.
  if (state.status !== "none") return ok([]);
  const total = totalOf(lines);
  if (!total.ok) return total;
  const data = {
    orderId,
    customerId,
    lines,
    total: total.value,
    placedAt: rfc3339(at),
    ...(deliveryAddress !== undefined && { deliveryAddress }),
  };
  return ok([{ type: "OrderPlaced", data }]);
};

const recordStockReserved = (orderId: string, state: OrderState): Decision<OrderEvent> => {
  if (state.status !== "placed" || state.stockReserved) return ok([]);
  const { customerId, total } = state;
  return ok([{ type: "OrderStockReserved", data: { orderId, customerId, total } }]);
};

const cancel = (
  { orderId, reason, at, windowMinutes }: Command<"CancelOrder">,
  state: OrderState,
): Decision<OrderEvent> => {
  switch (state.status) {
    case "none":
      return refuse("order_not_found", `Cancelling the order "${orderId}": there is no order with this id.`);
    case "cancelled":
      return refuse("order_already_cancelled", `Cancelling the order "${orderId}": it was cancelled before.`);
    case "rejected":
      return refuse("order_rejected", `Cancelling the order "${orderId}": it was rejected.`);
    case "placed":
    case "confirmed":
      if (state.status === "confirmed" && at - state.placedAt > windowMinutes * 60_000) {
        const detail = `Cancelling the order "${orderId}": it was placed at ${rfc3339(state.placedAt)}, expected at most ${windowMinutes} minutes ago.`;
        return refuse("cancellation_too_late", detail);
      }
      return ok([{ type: "OrderCancelled", data: { orderId, reason } }]);
  }
};

const decide = (command: OrderCommand, state: OrderState): Decision<OrderEvent> => {
  const { orderId } = command;
  switch (command.type) {
    case "PlaceOrder":
      return place(command, state);
    case "RecordStockReserved":
      return recordStockReserved(orderId, state);
    case "ConfirmOrder":
      return ok(state.status === "placed" ? [{ type: "OrderConfirmed", data: { orderId } }] : []);
    case "RejectOrder": {
      const { reason, detail } = command;
      return ok(
        state.status === "placed" ? [{ type: "OrderRejected", data: { orderId, reason, detail } }] : [],
      );
    }
    case "CancelOrder":
      return cancel(command, state);
  }
};

const evolve = (state: OrderState, event: OrderEvent): OrderState => {
  switch (event.type) {
    case "OrderPlaced": {
      const { customerId, total, placedAt } = event.data;
      return {
        status: "placed",
        customerId,
        total,
        placedAt: Date.parse(placedAt),
        stockReserved: false,
      };
    }
    case "OrderStockReserved":
      return state.status === "placed" ? { ...state, stockReserved: true } : state;
    case "OrderConfirmed":
      return state.status === "placed" ? { ...state, status: "confirmed" } : state;
    case "OrderRejected":
      return { status: "rejected" };
    case "OrderCancelled":
      return { status: "cancelled" };
    default:
      return state;
  }
};

export const order: Aggregate<OrderState, OrderCommand, OrderEvent> = {
  type: "order",
  initialState: () => ({ status: "none" }),
  evolve,
  decide,
};
