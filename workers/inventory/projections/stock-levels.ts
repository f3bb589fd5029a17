/** The read model of stock: one row a sku, its pieces in the house and those that orders hold. */
import { type SQL, sql } from "drizzle-orm";
import type { Projection } from "#shared/cqrs/projection.ts";
import { jsonRows } from "#shared/storage/json-rows.ts";
import type { InventoryEvent } from "../contract.ts";

/** What the commits add to a row; both may be negative or nothing. */
type Change = { readonly sku: string; readonly onHand: number; readonly reserved: number };

const addChanges = (changes: string): SQL => sql`
  INSERT INTO stock_levels (sku, on_hand, reserved)
  SELECT value ->> 'sku', value ->> 'onHand', value ->> 'reserved' FROM json_each(${changes}) WHERE true
  ON CONFLICT (sku) DO UPDATE SET
    on_hand = on_hand + excluded.on_hand,
    reserved = reserved + excluded.reserved`;

const changeOf = ({ type, data }: InventoryEvent): Change | undefined => {
  switch (type) {
    case "StockReceived":
      return { sku: data.sku, onHand: data.quantity, reserved: 0 };
    case "StockAllocated":
      return { sku: data.sku, onHand: 0, reserved: data.quantity };
    case "StockDeallocated":
      return { sku: data.sku, onHand: 0, reserved: -data.quantity };
    default:
      return undefined;
  }
};

export const stockLevelsProjection: Projection = {
  name: "stock-levels",
  statements(commits) {
    const changes = new Map<string, Change>();
    for (const event of commits.flatMap(({ events }) => events) as readonly InventoryEvent[]) {
      const change = changeOf(event);
      if (!change) continue;
      const { sku, onHand, reserved } = change;
      const earlier = changes.get(sku) ?? { onHand: 0, reserved: 0 };
      changes.set(sku, { sku, onHand: earlier.onHand + onHand, reserved: earlier.reserved + reserved });
    }
    return jsonRows(changes.values()).map(addChanges);
  },
};
