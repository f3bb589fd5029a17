/** The read model of stock: one row a sku, its pieces in the house and those that orders hold. */
import type { Projection } from "#shared/cqrs/projection.ts";
import type { InventoryEvent } from "../contract.ts";

/** What the commits add to a row; both may be negative or nothing. */
type Change = { readonly sku: string; readonly on_hand: number; readonly reserved: number };

const changeOf = ({ type, data }: InventoryEvent): Change | undefined => {
  switch (type) {
    case "StockReceived":
      return { sku: data.sku, on_hand: data.quantity, reserved: 0 };
    case "StockAllocated":
      return { sku: data.sku, on_hand: 0, reserved: data.quantity };
    case "StockDeallocated":
      return { sku: data.sku, on_hand: 0, reserved: -data.quantity };
    default:
      return undefined;
  }
};

export const stockLevelsProjection: Projection = {
  name: "stock-levels",
  tables: ["stock_levels"],
  changes(commits) {
    const changes = new Map<string, Change>();
    for (const event of commits.flatMap(({ events }) => events) as readonly InventoryEvent[]) {
      const change = changeOf(event);
      if (!change) continue;
      const { sku, on_hand, reserved } = change;
      const earlier = changes.get(sku) ?? { on_hand: 0, reserved: 0 };
      changes.set(sku, { sku, on_hand: earlier.on_hand + on_hand, reserved: earlier.reserved + reserved });
    }
    return [{ change: "add", table: "stock_levels", key: ["sku"], rows: [...changes.values()] }];
  },
};
