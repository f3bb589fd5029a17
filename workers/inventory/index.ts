/** Inventory: what it is made of. */
import { v7 as uuidv7 } from "uuid";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { type EventSourcedEnv, eventSourcedService } from "../event-sourced-service.ts";
import { ORDERS, ORDERS_EVENTS } from "../orders/contract.ts";
import { INVENTORY, INVENTORY_CONFIG, INVENTORY_EVENTS, INVENTORY_PROBLEMS } from "./contract.ts";
import { reservation, stock } from "./domain.ts";
import { reserveStock } from "./processes/reserve-stock.ts";
import { stockLevelsProjection } from "./projections/stock-levels.ts";
import { addStockRoutes } from "./routes.ts";
import { d1StockStore } from "./stock-store.ts";

const { handlers, Commander, Projector, Processor } = eventSourcedService<
  EventSourcedEnv,
  typeof INVENTORY_CONFIG
>({
  name: INVENTORY.service,
  major: INVENTORY.major,
  version: INVENTORY.version,
  description: "What is in stock, and which order holds how much of it.",
  config: INVENTORY_CONFIG,
  problems: INVENTORY_PROBLEMS,
  aggregates: { [stock.type]: stock, [reservation.type]: reservation },
  events: INVENTORY_EVENTS,
  sources: { [ORDERS.service]: ORDERS_EVENTS },
  shards: 4,
  projections: [stockLevelsProjection],
  processes: ({ commands }) => [reserveStock(commands)],
  addRoutes: (app, { env, commands, projectors, config }) =>
    addStockRoutes(app, {
      commands,
      store: d1StockStore(tracedD1(env.DB, INVENTORY.service)),
      projector: () => projectors.named(stockLevelsProjection.name),
      newId: uuidv7,
      receiptWaitMs: () => config.get().receiptWaitMs,
    }),
});

export class InventoryCommander extends Commander {}
export class InventoryProjector extends Projector {}
export class InventoryProcessor extends Processor {}

export default handlers;
