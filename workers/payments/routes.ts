/** HTTP to the one query of payments: they are made and voided by events, never by requests. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { awaitPosition } from "#shared/cqrs/freshness.ts";
import { MIN_POSITION_HEADER } from "#shared/cqrs/position.ts";
import type { ProjectorMethods } from "#shared/cqrs/projector-actor.ts";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
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
    const { limit, cursor, orderId } = c.req.valid("query");
    const header = c.req.header(MIN_POSITION_HEADER);
    const reached = await awaitPosition({ header, service: PAYMENTS.service, projector });
    if (!reached.ok) return c.var.problem(reached.error);
    const before = cursor === undefined ? undefined : decodeCursor(cursor, uuidSchema);
    if (before && !before.ok) return c.var.problem(before.error);
    const rows = await store.list({ orderId, before: before?.value, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    if (rows.length > limit && last) c.header("link", nextLink(c.req.url, encodeCursor(last.orderId)));
    return c.json({ items: page.map(paymentOf) }, 200);
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
