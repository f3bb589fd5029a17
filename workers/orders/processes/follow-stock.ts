/** What inventory says of an order's stock decides whether it may be paid. */
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { ReservationEvent } from "../../inventory/contract.ts";
import { type OrderCommand, order } from "../domain.ts";

type Reaction = Extract<ReservationEvent, { type: "StockReserved" | "StockRefused" }>;

const commandFor = ({ type, data }: Reaction): OrderCommand =>
  type === "StockReserved"
    ? { type: "RecordStockReserved", orderId: data.orderId }
    : { type: "RejectOrder", orderId: data.orderId, reason: "out_of_stock", detail: data.detail };

export const followStock = (commands: Commands): Process => ({
  name: "follow-stock",
  source: "inventory",
  handles: ["StockReserved", "StockRefused"] satisfies Reaction["type"][],
  handle(event) {
    const reaction = event as RecordedEvent<Reaction>;
    return commands.execute({
      type: order.type,
      id: reaction.data.orderId,
      command: commandFor(reaction),
      commandId: reaction.id,
    });
  },
});
