/** HTTP to the one query of payments: they are made and voided by events, never by requests. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { ProjectorMethods } from "#shared/cqrs/projector-actor.ts";
import { queryPage } from "#shared/cqrs/query-page.ts";
import { pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, problemAnswers } from "#shared/http/route-parts.ts";
import { timestampSchema, uuidSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { PAYMENTS, PAYMENTS_PROBLEMS } from "./contract.ts";
import type { PaymentRow, PaymentStore } from "./payment-store.ts";

export interface PaymentRoutes {
  readonly store: PaymentStore;
  readonly projector: () => Pick<ProjectorMethods, "waitFor">;
}

const paymentSchema = z
  .object({
    orderId: uuidSchema,
    status: z.enum(["authorised", "declined", "voided"]),
    amount: z
      .object({ amount: z.int(), currency: z.string() })
      .optional()
      .meta({ description: "Absent when it was voided before the provider was asked" }),
    authorisationId: z.string().optional().meta({ description: "The provider's" }),
    detail: z.string().optional().meta({ description: "Why it was declined" }),
    authorisedAt: timestampSchema.optional(),
    declinedAt: timestampSchema.optional(),
    voidedAt: timestampSchema.optional(),
  })
  .meta({ id: "Payment" });

const listPayments = createRoute({
  method: "get",
  path: "/payments",
  summary: "Payments, those of the newest orders first; or the payment of one order",
  request: { query: z.strictObject({ ...pageParameters, orderId: uuidSchema.optional() }) },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(paymentSchema) }), "One page; `Link` names the next"),
    ...problemAnswers(PAYMENTS_PROBLEMS, "invalid_parameter", "position_not_reached"),
  },
});

export const addPaymentRoutes = (app: ServiceApp, { store, projector }: PaymentRoutes): void => {
  app.openapi(listPayments, async (c) => {
    const { orderId, ...asked } = c.req.valid("query");
    const page = await queryPage({
      request: c.req,
      service: PAYMENTS.service,
      projector,
      page: asked,
      place: uuidSchema,
      rows: ({ after, limit }) => store.list({ orderId, before: after, limit }),
      placeOf: (row) => row.orderId,
    });
    if (!page.ok) return c.var.problem(page.error);
    return c.json({ items: page.value.items.map(paymentOf) }, 200, page.value.headers);
  });
};

/** What is null in the row is absent from the answer. */
const paymentOf = ({ orderId, status, amount, currency, ...row }: PaymentRow) => ({
  orderId,
  status,
  ...(amount !== null && currency !== null && { amount: { amount, currency } }),
  ...(row.authorisationId !== null && { authorisationId: row.authorisationId }),
  ...(row.detail !== null && { detail: row.detail }),
  ...(row.authorisedAt !== null && { authorisedAt: row.authorisedAt }),
  ...(row.declinedAt !== null && { declinedAt: row.declinedAt }),
  ...(row.voidedAt !== null && { voidedAt: row.voidedAt }),
});
