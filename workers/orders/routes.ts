/** HTTP to commands and queries of orders. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { executeClientCommand } from "#shared/cqrs/client-command.ts";
import { clientRequest } from "#shared/cqrs/client-request.ts";
import { awaitPosition } from "#shared/cqrs/freshness.ts";
import { formatPosition, MIN_POSITION_HEADER, POSITION_HEADER } from "#shared/cqrs/position.ts";
import type { ProjectorMethods } from "#shared/cqrs/projector-actor.ts";
import { queryPage } from "#shared/cqrs/query-page.ts";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { uuidSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { ORDERS, ORDERS_PROBLEMS } from "./contract.ts";
import { type OrderCommand, order } from "./domain.ts";
import type { OrderRow, OrderStore } from "./order-store.ts";
import { type OrderPlacing, placeOrder } from "./place-order.ts";
import {
  cancelOrderSchema,
  listOrdersQuery,
  orderParameters,
  orderSchema,
  orderSummarySchema,
  placeOrderSchema,
  recordedEventSchema,
  statusSchema,
} from "./schemas.ts";

export interface OrderRoutes extends OrderPlacing {
  readonly store: OrderStore;
  readonly projector: () => Pick<ProjectorMethods, "waitFor">;
  /** How long after its placing a confirmed order may be cancelled. */
  readonly cancellationMinutes: () => number;
  /** Whether new orders of the customer are taken. */
  readonly acceptsOrders: (customerId: string) => Promise<boolean>;
}

const postOrder = createRoute({
  method: "post",
  path: "/orders",
  summary: "Places an order; whether it is confirmed shows a moment later",
  description: `Takes an \`Idempotency-Key\`. The answer's \`${POSITION_HEADER}\` makes a query wait for this order as \`${MIN_POSITION_HEADER}\`.`,
  request: { body: jsonBody(placeOrderSchema) },
  responses: {
    202: jsonAnswer(orderSchema, "Placed"),
    ...problemAnswers(
      ORDERS_PROBLEMS,
      "invalid_body",
      "unknown_product",
      "mixed_currencies",
      "total_too_large",
      "orders_paused",
      "idempotency_key_reused",
      "unavailable",
    ),
  },
});

const getOrder = createRoute({
  method: "get",
  path: "/orders/{orderId}",
  summary: "One order as it stands",
  request: { params: orderParameters },
  responses: {
    200: jsonAnswer(orderSchema, "The order"),
    ...problemAnswers(ORDERS_PROBLEMS, "order_not_found", "invalid_parameter", "position_not_reached"),
  },
});

const listOrders = createRoute({
  method: "get",
  path: "/orders",
  summary: "Orders, newest first",
  request: { query: listOrdersQuery },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(orderSummarySchema) }), "One page; `Link` names the next"),
    ...problemAnswers(ORDERS_PROBLEMS, "invalid_parameter", "position_not_reached"),
  },
});

const cancelOrder = createRoute({
  method: "post",
  path: "/orders/{orderId}/cancellation",
  summary: "Cancels an order: its stock is released and its payment voided",
  description: "Takes an `Idempotency-Key`: whoever repeats a cancellation with it is told the same again.",
  request: { params: orderParameters, body: jsonBody(cancelOrderSchema) },
  responses: {
    202: jsonAnswer(
      z.object({ orderId: uuidSchema, status: statusSchema, reason: z.string() }),
      "Cancelled; stock and payment follow",
    ),
    ...problemAnswers(
      ORDERS_PROBLEMS,
      "invalid_body",
      "invalid_parameter",
      "conflict",
      "order_not_found",
      "order_already_cancelled",
      "order_rejected",
      "cancellation_too_late",
      "unavailable",
    ),
  },
});

const listEvents = createRoute({
  method: "get",
  path: "/orders/{orderId}/events",
  summary: "The order's own history, from the log",
  request: { params: orderParameters, query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(
      z.object({ items: z.array(recordedEventSchema) }),
      "Oldest first; `Link` names the next page",
    ),
    ...problemAnswers(ORDERS_PROBLEMS, "order_not_found", "invalid_parameter", "unavailable"),
  },
});

export const addOrderRoutes = (app: ServiceApp, orders: OrderRoutes): void => {
  const reach = (header: string | undefined) =>
    awaitPosition({ header, service: ORDERS.service, projector: orders.projector });

  app.openapi(postOrder, async (c) => {
    const request = c.req.valid("json");
    if (!(await orders.acceptsOrders(request.customerId)))
      return c.var.problem(ordersPaused(request.customerId));
    const placing = await placeOrder(orders, request, clientRequest(c));
    if (!placing.ok) return c.var.problem(placing.error);
    const { position, placed } = placing.value;
    const { deliveryAddress, ...rest } = placed;
    const address = typeof deliveryAddress === "string" && { deliveryAddress };
    return c.json({ status: "placed" as const, ...rest, lines: [...rest.lines], ...address }, 202, {
      location: `/${ORDERS.service}/v${ORDERS.major}/orders/${placed.orderId}`,
      [POSITION_HEADER]: formatPosition(ORDERS.service, position),
    });
  });

  app.openapi(getOrder, async (c) => {
    const reached = await reach(c.req.header(MIN_POSITION_HEADER));
    if (!reached.ok) return c.var.problem(reached.error);
    const { orderId } = c.req.valid("param");
    const row = await orders.store.find(orderId);
    return row ? c.json(orderOf(row), 200) : c.var.problem(orderNotFound(orderId));
  });

  app.openapi(listOrders, async (c) => {
    const { customerId, status, ...asked } = c.req.valid("query");
    const page = await queryPage({
      request: c.req,
      service: ORDERS.service,
      projector: orders.projector,
      page: asked,
      place: uuidSchema,
      rows: ({ after, limit }) => orders.store.list({ customerId, status, before: after, limit }),
      placeOf: ({ orderId }) => orderId,
    });
    if (!page.ok) return c.var.problem(page.error);
    return c.json({ items: page.value.items.map(summaryOf) }, 200, page.value.headers);
  });

  app.openapi(cancelOrder, async (c) => {
    const { orderId } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    const cancelled = await executeClientCommand(orders.commands, {
      type: order.type,
      id: orderId,
      command: (): OrderCommand => ({
        type: "CancelOrder",
        orderId,
        reason,
        at: orders.clock(),
        windowMinutes: orders.cancellationMinutes(),
      }),
      operation: ["cancel-order", orderId],
      body: { reason },
      ...clientRequest(c),
      newCommandId: orders.newId,
    });
    if (!cancelled.ok) return c.var.problem(cancelled.error);
    return c.json({ orderId, status: "cancelled" as const, reason }, 202, {
      [POSITION_HEADER]: formatPosition(ORDERS.service, cancelled.value.position),
    });
  });

  app.openapi(listEvents, async (c) => {
    const { orderId } = c.req.valid("param");
    const history = await orders.commands.history({ type: order.type, id: orderId });
    if (!history.ok) return c.var.problem(history.error);
    if (history.value.length === 0) return c.var.problem(orderNotFound(orderId));
    const { limit, cursor } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.int().min(1));
    if (after && !after.ok) return c.var.problem(after.error);
    const rest = history.value
      .flatMap(({ position, events }) => events.map((event) => ({ position, ...event })))
      .filter(({ version }) => version > (after?.value ?? 0));
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    if (rest.length > limit && last) c.header("link", nextLink(c.req.url, encodeCursor(last.version)));
    const items = page.map(({ id, type, time, version, position, data }) => ({
      id,
      type,
      time,
      version,
      position,
      data: { ...data },
    }));
    return c.json({ items }, 200);
  });
};

const summaryOf = ({ orderId, customerId, status, total, placedAt }: OrderRow) => ({
  orderId,
  customerId,
  status,
  total,
  placedAt,
});

const orderOf = (row: OrderRow) => ({
  ...summaryOf(row),
  lines: [...row.lines],
  ...(row.deliveryAddress !== null && { deliveryAddress: row.deliveryAddress }),
  ...(row.reason !== null && { reason: row.reason }),
  ...(row.detail !== null && { detail: row.detail }),
  ...(row.confirmedAt !== null && { confirmedAt: row.confirmedAt }),
  ...(row.rejectedAt !== null && { rejectedAt: row.rejectedAt }),
  ...(row.cancelledAt !== null && { cancelledAt: row.cancelledAt }),
});

const ordersPaused = (customerId: string) => ({
  code: "orders_paused",
  detail: `Placing an order for "${customerId}": the shop takes none at the moment.`,
});

const orderNotFound = (orderId: string) => ({
  code: "order_not_found",
  detail: `Looking for the order "${orderId}": there is no order with this id.`,
});
