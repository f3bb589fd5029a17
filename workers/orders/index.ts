/** Orders: what it is made of. */
import { v7 as uuidv7 } from "uuid";
import { managedProcesses, processAggregates } from "#shared/cqrs/process-manager-processes.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { identifiedUpstream } from "#shared/identity/carry-identity.ts";
import { serviceBindings } from "#shared/registry/instance-upstream.ts";
import { registeredUpstream } from "#shared/registry/registered-upstream.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { CATALOG } from "../catalog/contract.ts";
import { type EventSourcedEnv, eventSourcedService } from "../event-sourced-service.ts";
import { INVENTORY, INVENTORY_EVENTS } from "../inventory/contract.ts";
import { PAYMENTS, PAYMENTS_EVENTS } from "../payments/contract.ts";
import { ACCEPT_ORDERS_FLAG, ORDERS, ORDERS_CONFIG, ORDERS_EVENTS, ORDERS_PROBLEMS } from "./contract.ts";
import { order } from "./domain.ts";
import { d1OrderStore } from "./order-store.ts";
import { priceQuotes } from "./price-quotes.ts";
import { followPayment } from "./processes/follow-payment.ts";
import { followStock } from "./processes/follow-stock.ts";
import { paymentTimeout } from "./processes/payment-timeout.ts";
import { ordersProjection } from "./projections/orders.ts";
import { addOrderRoutes } from "./routes.ts";

interface Env extends EventSourcedEnv {
  CATALOG: Fetcher;
}

const { handlers, Commander, Projector, Processor, SubjectKeeper } = eventSourcedService<
  Env,
  typeof ORDERS_CONFIG
>({
  name: ORDERS.service,
  major: ORDERS.major,
  version: ORDERS.version,
  description: "Orders, from placing to confirmation, rejection or cancellation.",
  config: ORDERS_CONFIG,
  problems: ORDERS_PROBLEMS,
  aggregates: { [order.type]: order, ...processAggregates(paymentTimeout) },
  events: ORDERS_EVENTS,
  sources: { [INVENTORY.service]: INVENTORY_EVENTS, [PAYMENTS.service]: PAYMENTS_EVENTS },
  shards: 4,
  projections: [ordersProjection],
  processes: ({ commands, timeouts, config }) => [
    followStock(commands),
    followPayment(commands),
    ...managedProcesses(paymentTimeout, { commands, timeouts, settings: config.get, clock: systemClock }),
  ],
  addRoutes: (app, { env, commands, projectors, config, flags, entry }) =>
    addOrderRoutes(app, {
      commands,
      store: d1OrderStore(tracedD1(env.DB, ORDERS.service)),
      quotes: priceQuotes({
        catalog: identifiedUpstream(
          tracedUpstream(
            registeredUpstream({
              ...CATALOG,
              entry,
              bindings: serviceBindings({ ...env }),
              unknown: bindingUpstream(env.CATALOG),
              random: Math.random,
            }),
            CATALOG,
          ),
        ),
        clock: systemClock,
        maxAgeMs: () => config.get().quoteMs,
      }),
      projector: () => projectors.named(ordersProjection.name),
      clock: systemClock,
      newId: uuidv7,
      cancellationMinutes: () => config.get().cancellationMinutes,
      acceptsOrders: (customerId) =>
        flags.getBooleanValue(ACCEPT_ORDERS_FLAG, true, { targetingKey: customerId }),
    }),
});

export class OrderCommander extends Commander {}
export class OrderProjector extends Projector {}
export class OrderProcessor extends Processor {}
export class OrderSubjectKeeper extends SubjectKeeper {}

export default handlers;
