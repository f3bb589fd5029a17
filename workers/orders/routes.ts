/** HTTP to commands and queries of orders. */
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { Commands } from "#shared/cqrs/commands.ts";
import { awaitPosition } from "#shared/cqrs/freshness.ts";
import { formatPosition, MIN_POSITION_HEADER, POSITION_HEADER } from "#shared/cqrs/position.ts";
import type { ProjectorMethods } from "#shared/cqrs/projector-actor.ts";
import { parseIdempotencyKey, requestFingerprint } from "#shared/http/idempotency-key.ts";
import { decodeCursor, encodeCursor, nextLink } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { uuidSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { ORDERS, ORDERS_PROBLEMS, type OrderEvent, type OrderLine } from "./contract.ts";
import { order } from "./domain.ts";
import type { OrderRow, OrderStore } from "./order-store.ts";
import type { PriceQuotes } from "./price-quotes.ts";
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

export interface OrderRoutes {
  readonly commands: Commands;
  readonly store: OrderStore;
  readonly quotes: PriceQuotes;
  readonly projector: () => Pick<ProjectorMethods, "waitFor">;
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

const placeOrder = createRoute({
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
  request: { params: orderParameters, body: jsonBody(cancelOrderSchema) },
  responses: {
    202: jsonAnswer(
      z.object({ orderId: uuidSchema, status: statusSchema, reason: z.string() }),
      "Cancelled; stock and payment follow",
    ),
    ...problemAnswers(
      ORDERS_PROBLEMS,
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
  request: { params: orderParameters },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(recordedEventSchema) }), "Oldest first"),
    ...problemAnswers(ORDERS_PROBLEMS, "order_not_found", "unavailable"),
  },
});

export const addOrderRoutes = (app: ServiceApp, orders: OrderRoutes): void => {
  app.openapi(placeOrder, async (c) => {
    const request = c.req.valid("json");
    const idempotencyKey = parseIdempotencyKey(c.req.header("idempotency-key"));
    if (!idempotencyKey.ok) return c.var.problem(idempotencyKey.error);
    const priced = await priceLines(orders.quotes, request.lines);
    if (!priced.ok) return c.var.problem(priced.error);
    const placed = await place(orders, { ...request, lines: priced.value }, idempotencyKey.value, request);
    if (!placed.ok) return c.var.problem(placed.error);
    const { position, event } = placed.value;
    const { orderId, customerId, lines, total, placedAt } = event.data;
    return c.json(
      { orderId, status: "placed" as const, customerId, lines: [...lines], total, placedAt },
      202,
      {
        location: `/${ORDERS.service}/v${ORDERS.major}/orders/${orderId}`,
        [POSITION_HEADER]: formatPosition(ORDERS.service, position),
      },
    );
  });

  app.openapi(getOrder, async (c) => {
    const fresh = await awaitPosition({
      header: c.req.header(MIN_POSITION_HEADER),
      service: ORDERS.service,
      projector: orders.projector,
    });
    if (!fresh.ok) return c.var.problem(fresh.error);
    const { orderId } = c.req.valid("param");
    const row = await orders.store.find(orderId);
    return row ? c.json(orderOf(row), 200) : c.var.problem(orderNotFound(orderId));
  });

  app.openapi(listOrders, async (c) => {
    const { limit, cursor, customerId, status } = c.req.valid("query");
    const fresh = await awaitPosition({
      header: c.req.header(MIN_POSITION_HEADER),
      service: ORDERS.service,
      projector: orders.projector,
    });
    if (!fresh.ok) return c.var.problem(fresh.error);
    const before = cursor === undefined ? undefined : decodeCursor(cursor, uuidSchema);
    if (before && !before.ok) return c.var.problem(before.error);
    const rows = await orders.store.list({ customerId, status, before: before?.value, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    if (rows.length > limit && last) c.header("link", nextLink(c.req.url, encodeCursor(last.orderId)));
    return c.json({ items: page.map(summaryOf) }, 200);
  });

  app.openapi(cancelOrder, async (c) => {
    const { orderId } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    const cancelled = await orders.commands.execute({
      type: order.type,
      id: orderId,
      command: { type: "CancelOrder", orderId, reason, at: orders.clock() },
      commandId: orders.newId(),
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
    const items = history.value.flatMap(({ position, events }) =>
      events.map(({ id, type, time, version, data }) => ({
        id,
        type,
        time,
        version,
        position,
        data: { ...data },
      })),
    );
    return c.json({ items }, 200);
  });
};

type PlacedEvent = Extract<OrderEvent, { type: "OrderPlaced" }>;
type NewOrder = { readonly customerId: string; readonly lines: readonly OrderLine[] };

const priceLines = async (
  quotes: PriceQuotes,
  lines: readonly { readonly sku: string; readonly quantity: number }[],
) => {
  const prices = await quotes.of(lines.map(({ sku }) => sku));
  if (!prices.ok) return prices;
  const priced: OrderLine[] = [];
  for (const { sku, quantity } of lines) {
    const price = prices.value.get(sku);
    if (!price) {
      const detail = `Placing an order for "${sku}": the catalog does not offer it.`;
      return { ok: false as const, error: { code: "unknown_product", detail } };
    }
    priced.push({ sku, quantity, price });
  }
  return { ok: true as const, value: priced };
};

/** The order's first event, of this request or of the first one with the same key. */
const place = async (
  { commands, clock, newId }: OrderRoutes,
  newOrder: NewOrder,
  idempotencyKey: string | undefined,
  request: object,
) => {
  const commandFor = (orderId: string) => ({
    type: "PlaceOrder" as const,
    orderId,
    ...newOrder,
    at: clock(),
  });
  const execution = await (async () => {
    if (idempotencyKey === undefined) {
      const id = newId();
      return commands.execute<PlacedEvent>({
        type: order.type,
        id,
        command: commandFor(id),
        commandId: id,
        isNew: true,
      });
    }
    const once = await commands.executeOnce<PlacedEvent>({
      type: order.type,
      command: commandFor,
      key: await requestFingerprint(["place-order", idempotencyKey]),
      fingerprint: await requestFingerprint(request),
      id: newId,
    });
    return once.ok ? once.value.execution : once;
  })();
  if (!execution.ok) return execution;
  const { position, events } = execution.value;
  const [event] = events;
  if (!event) throw new Error("Placing an order recorded nothing");
  return { ok: true as const, value: { position, event } };
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
  ...(row.reason !== null && { reason: row.reason }),
  ...(row.detail !== null && { detail: row.detail }),
  ...(row.confirmedAt !== null && { confirmedAt: row.confirmedAt }),
  ...(row.rejectedAt !== null && { rejectedAt: row.rejectedAt }),
  ...(row.cancelledAt !== null && { cancelledAt: row.cancelledAt }),
});

const orderNotFound = (orderId: string) => ({
  code: "order_not_found",
  detail: `Looking for the order "${orderId}": there is no order with this id.`,
});
