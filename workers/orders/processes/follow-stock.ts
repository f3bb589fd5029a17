/** What inventory says of an order's stock decides whether it may be paid. */
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { ReservationEvent } from "../../inventory/contract.ts";
import { orderReaction } from "./order-reaction.ts";

type Reaction = Extract<ReservationEvent, { type: "StockReserved" | "StockRefused" }>;

export const followStock = (commands: Commands): Process =>
  orderReaction<Reaction>(
    {
      name: "follow-stock",
      source: "inventory",
      handles: ["StockReserved", "StockRefused"],
      commandFor: ({ type, data }) =>
        type === "StockReserved"
          ? { type: "RecordStockReserved", orderId: data.orderId }
          : { type: "RejectOrder", orderId: data.orderId, reason: "out_of_stock", detail: data.detail },
    },
    commands,
  );
