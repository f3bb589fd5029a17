/** What other services may see of payments: its events, its problem types, its configuration, its version. */
import * as z from "zod";
import { idField, moneyField } from "#shared/events/event-fields.ts";
import { type EventOf, type EventTypes, event } from "#shared/events/event-types.ts";
import type { ProblemTable } from "#shared/http/errors.ts";
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
export const PAYMENTS_EVENTS = {
  PaymentAuthorised: event({
    orderId: idField,
    amount: moneyField,
    /** The provider's own id of what it holds for us. */
    authorisationId: z.string(),
  }),
  PaymentDeclined: event({ orderId: idField, amount: moneyField, detail: z.string() }),
  /** Also when it comes before the authorisation, which is then never made. */
  PaymentVoided: event({ orderId: idField }),
} as const satisfies EventTypes;

export type PaymentEvent = EventOf<typeof PAYMENTS_EVENTS>;

export const PAYMENTS_PROBLEMS = {} as const satisfies ProblemTable;
