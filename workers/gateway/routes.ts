/** Which service answers which address, as data: everything the gateway knows about them stands here. */
import type { ProblemTable } from "#shared/http/errors.ts";
import { CATALOG, CATALOG_PROBLEMS } from "#workers/catalog/contract.ts";
import { INVENTORY, INVENTORY_PROBLEMS } from "#workers/inventory/contract.ts";
import { ORDERS, ORDERS_PROBLEMS } from "#workers/orders/contract.ts";
import { PAYMENTS, PAYMENTS_PROBLEMS } from "#workers/payments/contract.ts";

export interface ServiceRoute {
  /** First segment of its paths. */
  readonly name: string;
  /** Major versions that it answers, each as `/{name}/v{major}/…`. */
  readonly majors: readonly number[];
  /** Name of its service binding. */
  readonly binding: string;
  /** One line for people. */
  readonly summary: string;
  readonly problems: ProblemTable;
}

export const SERVICES = [
  {
    name: CATALOG.service,
    majors: [CATALOG.major],
    binding: "CATALOG",
    summary: "What the shop sells, and for how much. Plain rows.",
    problems: CATALOG_PROBLEMS,
  },
  {
    name: ORDERS.service,
    majors: [ORDERS.major],
    binding: "ORDERS",
    summary: "Takes orders and tells what became of them. Event-sourced.",
    problems: ORDERS_PROBLEMS,
  },
  {
    name: INVENTORY.service,
    majors: [INVENTORY.major],
    binding: "INVENTORY",
    summary: "Counts stock and holds it for orders. Event-sourced.",
    problems: INVENTORY_PROBLEMS,
  },
  {
    name: PAYMENTS.service,
    majors: [PAYMENTS.major],
    binding: "PAYMENTS",
    summary: "Collects payments from the provider. Event-sourced.",
    problems: PAYMENTS_PROBLEMS,
  },
] as const satisfies readonly ServiceRoute[];

export const MONITOR = { name: "monitor", binding: "MONITOR" } as const;
