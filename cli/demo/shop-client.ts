/** The shop as an HTTP client sees it through the gateway: each request retried while the shop says that waiting helps. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { OrderLine } from "./online-retail.ts";

/** What the demo takes from outside; tests bring their own. */
export type ShopAccess = { url: string; fetch: typeof fetch; clock: Clock; sleep: Sleep };

export const ORDER_STATUSES = ["placed", "confirmed", "rejected", "cancelled"] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];
export type OrderView = { status: OrderStatus; reason: string };
export type PlacedOrder = { orderId: string; position: string | undefined };

/** An answer that the demo did not hope for; `message` is what was attempted, the status and the problem's detail. */
export class ShopRefusal extends Error {
  override readonly name = "ShopRefusal";
  /** The HTTP status, 0 when no answer came. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Each rejects with a {@link ShopRefusal} when the shop refuses, or cannot be reached within the attempts. */
export interface ShopClient {
  /** One request, not retried: whether anything answers at all. */
  reach(): Promise<void>;
  putProduct(product: { sku: string; name: string; amount: number; currency: string }): Promise<void>;
  /** Pieces that can still be sold; 0 for a sku that the inventory does not know. */
  available(sku: string): Promise<number>;
  receive(sku: string, quantity: number, idempotencyKey: string): Promise<void>;
  place(order: { customerId: string; lines: OrderLine[] }, idempotencyKey: string): Promise<PlacedOrder>;
  /** "too_late" when the order is past cancelling. */
  cancel(orderId: string, reason: string, idempotencyKey: string): Promise<"accepted" | "too_late">;
  /** Undefined while the query side does not know the order yet. */
  order(placed: PlacedOrder): Promise<OrderView | undefined>;
  /** Requests that were sent again so far. */
  retries(): number;
}

const ATTEMPTS_MAX = 8;
const ATTEMPT_MS = 15_000;
/** Used when a retryable answer names no time, doubled at each attempt. */
const BACKOFF_MS = 200;
/** A gateway that has answered nothing for so long is taken for gone: each request is tried once until it answers again. */
const SILENT_MS_MAX = 20_000;
/** However long the shop asks for: a demo that sleeps longer looks dead. */
const WAIT_MS_MAX = 5_000;

type Call = {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Statuses beside 2xx that are an answer, not a refusal. */
  expected?: readonly number[];
};

/** An answer read to its end: a connection that breaks within the body is no answer. */
type Answer = { status: number; ok: boolean; headers: Headers; body: Record<string, unknown> };

export const shopClient = ({ url, fetch, clock, sleep }: ShopAccess): ShopClient => {
  let retries = 0;
  let answeredAt = clock();

  const send = async ({ method, path, body, headers }: Call): Promise<Answer> => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const signal = AbortSignal.timeout(ATTEMPT_MS);
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...json, ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      });
      const { status, ok } = response;
      const read = objectIn(await response.text());
      answeredAt = clock();
      return { status, ok, headers: response.headers, body: read };
    } catch (error) {
      throw new ShopRefusal(0, `${method} ${path}: no answer (${reasonOf(error as Error)})`);
    }
  };

  const request = async (call: Call): Promise<Answer> => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await send(call).catch((refusal: ShopRefusal) => refusal);
      const answered = !(outcome instanceof ShopRefusal);
      const retryable = !answered || saysRetry(outcome);
      if (answered && !retryable && (outcome.ok || call.expected?.includes(outcome.status))) return outcome;
      const gone = clock() - answeredAt > SILENT_MS_MAX;
      if (!retryable || gone || attempt === ATTEMPTS_MAX) throw answered ? refusalOf(call, outcome) : outcome;
      retries += 1;
      const asked = answered ? retryAfterMs(outcome.headers, clock()) : undefined;
      await sleep(Math.min(asked ?? BACKOFF_MS * 2 ** (attempt - 1), WAIT_MS_MAX));
    }
  };

  return {
    reach: async () => void (await send({ method: "GET", path: "/healthz" })),
    putProduct: async ({ sku, name, amount, currency }) => {
      await request({
        method: "PUT",
        path: `/catalog/v1/products/${encodeURIComponent(sku)}`,
        body: { name, price: { amount, currency } },
      });
    },
    available: async (sku) => {
      const path = `/inventory/v1/stock/${encodeURIComponent(sku)}`;
      const { ok, body } = await request({ method: "GET", path, expected: [404] });
      return ok && typeof body.available === "number" ? body.available : 0;
    },
    receive: async (sku, quantity, idempotencyKey) => {
      await request({
        method: "POST",
        path: `/inventory/v1/stock/${encodeURIComponent(sku)}/receipts`,
        body: { quantity },
        headers: { "idempotency-key": idempotencyKey },
      });
    },
    place: async (order, idempotencyKey) => {
      const call = { method: "POST", path: "/orders/v1/orders", body: order };
      const answer = await request({ ...call, headers: { "idempotency-key": idempotencyKey } });
      const { orderId } = answer.body;
      if (typeof orderId !== "string")
        throw new ShopRefusal(answer.status, `POST ${call.path}: the answer names no orderId`);
      return { orderId, position: answer.headers.get("skerry-position") ?? undefined };
    },
    cancel: async (orderId, reason, idempotencyKey) => {
      const { ok, body } = await request({
        method: "POST",
        path: `/orders/v1/orders/${encodeURIComponent(orderId)}/cancellation`,
        body: { reason },
        headers: { "idempotency-key": idempotencyKey },
        expected: [409],
      });
      // Only a repeated run finds an order that it cancelled before.
      return ok || String(body.type).endsWith("order_already_cancelled") ? "accepted" : "too_late";
    },
    order: async ({ orderId, position }) => {
      const { ok, status, body } = await request({
        method: "GET",
        path: `/orders/v1/orders/${encodeURIComponent(orderId)}`,
        headers: position === undefined ? {} : { "skerry-min-position": position },
        expected: [404],
      });
      if (!ok) return undefined;
      const known = ORDER_STATUSES.find((name) => name === body.status);
      if (!known) throw new ShopRefusal(status, `order "${orderId}": unknown status "${body.status}"`);
      return { status: known, reason: typeof body.reason === "string" ? body.reason : "" };
    },
    retries: () => retries,
  };
};

/** `fetch` hides what happened in the cause; one that tried several addresses has a code there and no message. */
const reasonOf = ({ message, cause }: Error): string => {
  const { code, message: why } = (cause ?? {}) as { code?: string; message?: string };
  return code ?? why ?? message;
};

/** A 409 with Retry-After is a lost race, without it a final no. */
const saysRetry = ({ ok, status, headers }: Answer): boolean =>
  !ok && (status === 502 || status === 503 || headers.has("retry-after"));

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3), as milliseconds from now; undefined when absent or unreadable. */
const retryAfterMs = (headers: Headers, now: number): number | undefined => {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
};

const refusalOf = (call: Call, { status, body }: Answer): ShopRefusal => {
  const said = body.detail ?? body.title ?? "no problem document";
  return new ShopRefusal(status, `${call.method} ${call.path}: ${status}, ${said}`);
};

/** The JSON object that the text is; of anything else an empty one, so that what is missing in it is said by name. */
const objectIn = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};
