/** What other services may see of payments: its events, its problem types, its version. */
import type { ProblemTable } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";

export const PAYMENTS = { service: "payments", major: 1 } as const;

/** Aggregate `payment`, id: orderId. */
export type PaymentEvent =
  | {
      readonly type: "PaymentAuthorised";
      readonly data: {
        readonly orderId: string;
        readonly amount: Money;
        /** The provider's own id of what it holds for us. */
        readonly authorisationId: string;
      };
    }
  | {
      readonly type: "PaymentDeclined";
      readonly data: { readonly orderId: string; readonly amount: Money; readonly detail: string };
    }
  /** Also when it comes before the authorisation, which is then never made. */
  | { readonly type: "PaymentVoided"; readonly data: { readonly orderId: string } };

export const PAYMENTS_PROBLEMS = {} as const satisfies ProblemTable;
