/** Every problem type that a client of the system can meet: the platform's and each known contract's. */
import { PLATFORM_PROBLEMS, type ProblemTable, type ProblemType } from "#shared/http/errors.ts";
import { CATALOG, CATALOG_PROBLEMS } from "#workers/catalog/contract.ts";
import { CONTROL, CONTROL_PROBLEMS } from "#workers/control/contract.ts";
import { INVENTORY, INVENTORY_PROBLEMS } from "#workers/inventory/contract.ts";
import { ORDERS, ORDERS_PROBLEMS } from "#workers/orders/contract.ts";
import { PAYMENTS, PAYMENTS_PROBLEMS } from "#workers/payments/contract.ts";

export interface RegisteredProblem extends ProblemType {
  readonly code: string;
  /** The service that answers it; "platform" for what every one of them may answer. */
  readonly owner: string;
}

const entriesOf = (owner: string, table: ProblemTable): RegisteredProblem[] =>
  Object.entries(table).map(([code, type]) => ({ code, owner, ...type }));

/** By owner, in the order of their tables. Codes are unique in the whole system: `type` URLs name them without the service. */
export const REGISTERED_PROBLEMS: readonly RegisteredProblem[] = [
  ...entriesOf("platform", PLATFORM_PROBLEMS),
  ...entriesOf(CATALOG.service, CATALOG_PROBLEMS),
  ...entriesOf(ORDERS.service, ORDERS_PROBLEMS),
  ...entriesOf(INVENTORY.service, INVENTORY_PROBLEMS),
  ...entriesOf(PAYMENTS.service, PAYMENTS_PROBLEMS),
  ...entriesOf(CONTROL.service, CONTROL_PROBLEMS),
];

export const registeredProblem = (code: string): RegisteredProblem | undefined =>
  REGISTERED_PROBLEMS.find((problem) => problem.code === code);
