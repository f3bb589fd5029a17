/** HTTP to commands and queries of stock. */

import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { executeClientCommand } from "#shared/cqrs/client-command.ts";
import { clientRequest } from "#shared/cqrs/client-request.ts";
import type { Commands } from "#shared/cqrs/commands.ts";
import { awaitPosition } from "#shared/cqrs/freshness.ts";
import { formatPosition, MIN_POSITION_HEADER, POSITION_HEADER } from "#shared/cqrs/position.ts";
import type { ProjectorMethods } from "#shared/cqrs/projector-actor.ts";
import { queryPage } from "#shared/cqrs/query-page.ts";
import { pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { skuSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { INVENTORY, INVENTORY_PROBLEMS } from "./contract.ts";
import { type StockCommand, stock } from "./domain.ts";
import { receiptSchema, receivedSchema, stockParameters, stockSchema } from "./schemas.ts";
import type { StockRow, StockStore } from "./stock-store.ts";

export interface StockRoutes {
  readonly commands: Pick<Commands, "execute" | "executeOnce">;
  readonly store: StockStore;
  readonly projector: () => Pick<ProjectorMethods, "waitFor">;
  /** A new UUIDv7. */
  readonly newId: () => string;
  /** How long the answer to a receipt waits for the stock as it stands then. */
  readonly receiptWaitMs: () => number;
}

const receiveStock = createRoute({
  method: "post",
  path: "/stock/{sku}/receipts",
  summary: "Takes pieces into stock; the first receipt of a sku makes it known",
  description: `Takes an \`Idempotency-Key\`. The answer's \`${POSITION_HEADER}\` makes a query wait for this receipt as \`${MIN_POSITION_HEADER}\`.`,
  request: { params: stockParameters, body: jsonBody(receiptSchema) },
  responses: {
    201: jsonAnswer(receivedSchema, "Received; the stock as it stands then"),
    ...problemAnswers(
      INVENTORY_PROBLEMS,
      "stock_full",
      "invalid_body",
      "invalid_parameter",
      "idempotency_key_reused",
      "unavailable",
    ),
  },
});

const getStock = createRoute({
  method: "get",
  path: "/stock/{sku}",
  summary: "The stock of one sku",
  request: { params: stockParameters },
  responses: {
    200: jsonAnswer(stockSchema, "The stock"),
    ...problemAnswers(INVENTORY_PROBLEMS, "unknown_sku", "invalid_parameter", "position_not_reached"),
  },
});

const listStock = createRoute({
  method: "get",
  path: "/stock",
  summary: "The stock of every sku, in the order of their names",
  request: { query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(z.object({ items: z.array(stockSchema) }), "One page; `Link` names the next"),
    ...problemAnswers(INVENTORY_PROBLEMS, "invalid_parameter", "position_not_reached"),
  },
});

export const addStockRoutes = (app: ServiceApp, inventory: StockRoutes): void => {
  const { store, projector } = inventory;
  const fresh = (header: string | undefined) =>
    awaitPosition({ header, service: INVENTORY.service, projector });

  app.openapi(receiveStock, async (c) => {
    const { sku } = c.req.valid("param");
    const { quantity } = c.req.valid("json");
    const received = await executeClientCommand(inventory.commands, {
      type: stock.type,
      id: sku,
      command: (): StockCommand => ({ type: "ReceiveStock", sku, quantity }),
      operation: ["receive-stock", sku],
      body: { sku, quantity },
      ...clientRequest(c),
      newCommandId: inventory.newId,
    });
    if (!received.ok) return c.var.problem(received.error);
    const { position } = received.value;
    const reached = await projector().waitFor({ position, timeoutMs: inventory.receiptWaitMs() });
    const row = reached ? await store.find(sku) : undefined;
    return c.json({ sku, received: quantity, ...(row && stockOf(row)) }, 201, {
      location: `/${INVENTORY.service}/v${INVENTORY.major}/stock/${sku}`,
      [POSITION_HEADER]: formatPosition(INVENTORY.service, position),
    });
  });

  app.openapi(getStock, async (c) => {
    const reached = await fresh(c.req.header(MIN_POSITION_HEADER));
    if (!reached.ok) return c.var.problem(reached.error);
    const { sku } = c.req.valid("param");
    const row = await store.find(sku);
    if (row) return c.json(stockOf(row), 200);
    return c.var.problem({
      code: "unknown_sku",
      detail: `Looking for the stock of "${sku}": expected a sku of which something was received.`,
    });
  });

  app.openapi(listStock, async (c) => {
    const page = await queryPage({
      request: c.req,
      service: INVENTORY.service,
      projector,
      page: c.req.valid("query"),
      place: skuSchema,
      rows: ({ after = "", limit }) => store.list({ after, limit }),
      placeOf: ({ sku }) => sku,
    });
    if (!page.ok) return c.var.problem(page.error);
    return c.json({ items: page.value.items.map(stockOf) }, 200, page.value.headers);
  });
};

const stockOf = ({ sku, onHand, reserved }: StockRow) => ({
  sku,
  onHand,
  reserved,
  available: onHand - reserved,
});
