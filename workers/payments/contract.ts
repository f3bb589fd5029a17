/** What other services may see of payments: its events, its problem types, its configuration, its version. */
import * as z from "zod";
import type { ProblemTable } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";
import { LIMITS } from "#shared/limits.ts";

export const PAYMENTS = { service: "payments", major: 1, version: "1.0.0" } as const;

export const PAYMENTS_CONFIG = z.strictObject({
  providerTimeoutMs: z
    .int()
    .min(100)
    .max(LIMITS.paymentProviderMaxMs)
    .default(LIMITS.paymentProviderMs)
    .meta({ description: "How long the payment provider may take for one answer" }),
});

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
