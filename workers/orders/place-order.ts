/** Places an order: its lines at the catalog's prices, once per Idempotency-Key. */
import { executeClientCommand } from "#shared/cqrs/client-command.ts";
import type { ClientRequest } from "#shared/cqrs/client-request.ts";
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Failure } from "#shared/http/errors.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { OrderEvent, OrderLine } from "./contract.ts";
import { type OrderCommand, order } from "./domain.ts";
import type { PriceQuotes } from "./price-quotes.ts";

export interface OrderRequest {
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly deliveryAddress?: string | undefined;
}

export interface PlacedOrder {
  readonly position: number;
  readonly placed: Extract<OrderEvent, { type: "OrderPlaced" }>["data"];
}

export interface OrderPlacing {
  readonly commands: Commands;
  readonly quotes: PriceQuotes;
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

export const placeOrder = async (
  { commands, quotes, clock, newId }: OrderPlacing,
  request: OrderRequest,
  client: ClientRequest,
): Promise<Result<PlacedOrder, Failure>> => {
  const lines = await priceLines(quotes, request);
  if (!lines.ok) return lines;
  const execution = await executeClientCommand<OrderEvent>(commands, {
    type: order.type,
    id: newId,
    command: (orderId): OrderCommand => ({
      type: "PlaceOrder",
      orderId,
      customerId: request.customerId,
      lines: lines.value,
      deliveryAddress: request.deliveryAddress,
      at: clock(),
    }),
    operation: ["place-order"],
    body: request,
    ...client,
    newCommandId: newId,
  });
  if (!execution.ok) return execution;
  const { position, events } = execution.value;
  const [event] = events;
  if (event?.type !== "OrderPlaced") throw new Error("Placing an order recorded something else");
  return ok({ position, placed: event.data });
};

const priceLines = async (
  quotes: PriceQuotes,
  { lines }: OrderRequest,
): Promise<Result<OrderLine[], Failure>> => {
  const prices = await quotes.of(lines.map(({ sku }) => sku));
  if (!prices.ok) return prices;
  const priced: OrderLine[] = [];
  for (const { sku, quantity } of lines) {
    const price = prices.value.get(sku);
    if (!price) {
      const detail = `Placing an order for "${sku}": the catalog does not offer it.`;
      return err({ code: "unknown_product", detail });
    }
    priced.push({ sku, quantity, price });
  }
  return ok(priced);
};
