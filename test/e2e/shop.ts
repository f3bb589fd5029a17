/** The shop as its clients see it: HTTP to the gateway, and to the fake provider's own address. */
import { vi } from "vitest";
import { FAKE_PAYMENT_PROVIDER } from "#cli/workers.ts";
import type { TestSystem } from "../setup/system.ts";

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body's bytes as text. */
  readonly text: string;
  /** The body's JSON; undefined when it is none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Milliseconds from sending to the last byte. */
  readonly tookMs: number;
}

export interface Call {
  readonly method?: string;
  /** Sent as JSON; a string goes as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Line = { readonly sku: string; readonly quantity: number };

export interface Shop {
  readonly url: string;
  /** @throws when no answer came within 15 s: nothing may hang */
  request(path: string, call?: Call): Promise<Answer>;
  /** A product with that many pieces in stock, visible to queries. */
  offer(sku: string, product: { amount: number; currency?: string; pieces?: number }): Promise<void>;
  place(lines: readonly Line[], headers?: Readonly<Record<string, string>>): Promise<Answer>;
  cancel(orderId: string, reason?: string): Promise<Answer>;
  /** The order as a query for this position shows it. */
  order(orderId: string, position?: string): Promise<Answer>;
  /** Places an order that must be accepted, and waits until it has left "placed". */
  placeAndSettle(lines: readonly Line[]): Promise<Readonly<Record<string, unknown>>>;
  settled(orderId: string, timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>;
  /** Everything that the list holds: follows `Link: rel=next` to its end. */
  everyPage(path: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** `{sku, onHand, reserved, available}` */
  stock(sku: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The order's payment; undefined while there is none. */
  payment(orderId: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Types of the order's events, oldest first. */
  history(orderId: string): Promise<unknown[]>;
  provider: {
    behave(behaviour: { mode: string; delayMs?: number; times?: number }): Promise<void>;
    authorisations(orderId: string): Promise<{ count: number; live: number }>;
    /** Every authorisation that was ever made: `{orderId, status, amount, …}` */
    everyAuthorisation(): Promise<Readonly<Record<string, unknown>>[]>;
  };
}

const ANSWER_MS = 15_000;
const SETTLE_MS = 10_000;

const objectIn = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

const send = async (url: string, { method = "GET", body, headers = {} }: Call = {}): Promise<Answer> => {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const text = await response.text();
  const tookMs = performance.now() - startedAt;
  return { status: response.status, headers: response.headers, text, body: objectIn(text), tookMs };
};

/** Asks again until the claim holds, within a bound: what follows an acknowledged command comes a moment later. */
export const eventually = <T>(claim: () => T | Promise<T>, timeoutMs = SETTLE_MS): Promise<T> =>
  vi.waitFor(claim, { timeout: timeoutMs, interval: 20 });

/** @throws when the answer has another status, with the body that says why */
export const expectStatus = (answer: Answer, status: number): Answer => {
  if (answer.status === status) return answer;
  throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text.slice(0, 500)}`);
};

/** The position of an acknowledged command, to ask a query for. */
export const positionOf = (answer: Answer): string => {
  const position = answer.headers.get("skerry-position");
  if (position) return position;
  throw new Error(`Expected a Skerry-Position in the answer ${answer.status} ${answer.text.slice(0, 200)}`);
};

/** Field of an answer that must be a text. */
export const textOf = (body: Readonly<Record<string, unknown>> | undefined, field: string): string => {
  const value = body?.[field];
  if (typeof value === "string") return value;
  throw new Error(`Expected a text in "${field}" of ${JSON.stringify(body)?.slice(0, 200)}`);
};

export const itemsOf = (answer: Answer): Readonly<Record<string, unknown>>[] => {
  const items = expectStatus(answer, 200).body?.items;
  if (Array.isArray(items)) return items;
  throw new Error(`Expected items in ${answer.text.slice(0, 200)}`);
};

/** The address of the page after this one; undefined on the last. */
export const nextOf = ({ headers }: Pick<Answer, "headers">): string | undefined =>
  headers.get("link")?.match(/^<([^>]+)>; rel="next"$/)?.[1];

/** More pages than any list of a test has. */
const PAGES_MAX = 200;

/** @param system two addresses: the gateway's and, among the services, the fake provider's */
export const shopOf = (system: Pick<TestSystem, "url" | "services">): Shop => {
  const { url } = system;
  const providerUrl = system.services[FAKE_PAYMENT_PROVIDER];
  const request: Shop["request"] = (path, call) => send(`${url}${path}`, call);

  const order: Shop["order"] = (orderId, position) =>
    request(`/orders/v1/orders/${orderId}`, {
      headers: position === undefined ? {} : { "skerry-min-position": position },
    });

  const settled: Shop["settled"] = (orderId, timeoutMs) =>
    eventually(async () => {
      const { body } = expectStatus(await order(orderId), 200);
      if (body && body.status !== "placed") return body;
      throw new Error(`Order "${orderId}" is still placed`);
    }, timeoutMs);

  const place: Shop["place"] = (lines, headers = {}) =>
    request("/orders/v1/orders", { method: "POST", body: { customerId: "ada", lines }, headers });

  return {
    url,
    request,
    order,
    place,
    settled,
    async offer(sku, { amount, currency = "EUR", pieces = 0 }) {
      const product = { name: `Product ${sku}`, price: { amount, currency } };
      const put = await request(`/catalog/v1/products/${sku}`, { method: "PUT", body: product });
      if (put.status !== 200) expectStatus(put, 201);
      if (pieces === 0) return;
      const receipt = { method: "POST", body: { quantity: pieces } };
      const received = expectStatus(await request(`/inventory/v1/stock/${sku}/receipts`, receipt), 201);
      const headers = { "skerry-min-position": positionOf(received) };
      expectStatus(await request(`/inventory/v1/stock/${sku}`, { headers }), 200);
    },
    async placeAndSettle(lines) {
      const placed = expectStatus(await place(lines), 202);
      expectStatus(await order(textOf(placed.body, "orderId"), positionOf(placed)), 200);
      return settled(textOf(placed.body, "orderId"));
    },
    cancel: (orderId, reason = "changed my mind") =>
      request(`/orders/v1/orders/${orderId}/cancellation`, { method: "POST", body: { reason } }),
    async stock(sku) {
      const answer = await request(`/inventory/v1/stock/${sku}`);
      return answer.status === 404 ? undefined : expectStatus(answer, 200).body;
    },
    async everyPage(path) {
      const items: Readonly<Record<string, unknown>>[] = [];
      let next: string | undefined = path;
      for (let pages = 0; next !== undefined; pages++) {
        if (pages === PAGES_MAX) throw new Error(`The pages of "${path}" do not end`);
        const answer = await request(next);
        items.push(...itemsOf(answer));
        next = nextOf(answer);
      }
      return items;
    },
    payment: async (orderId) => itemsOf(await request(`/payments/v1/payments?orderId=${orderId}`))[0],
    async history(orderId) {
      const items = itemsOf(await request(`/orders/v1/orders/${orderId}/events`));
      return items.map(({ type }) => type);
    },
    provider: {
      async behave(behaviour) {
        expectStatus(await send(`${providerUrl}/behaviour`, { method: "PUT", body: behaviour }), 200);
      },
      async authorisations(orderId) {
        const { body } = expectStatus(await send(`${providerUrl}/authorisations?orderId=${orderId}`), 200);
        return { count: Number(body?.count), live: Number(body?.live) };
      },
      async everyAuthorisation() {
        const items: Readonly<Record<string, unknown>>[] = [];
        let next: unknown = 0;
        while (next !== undefined) {
          const answer = await send(`${providerUrl}/authorisations?limit=100&cursor=${next}`);
          items.push(...itemsOf(answer));
          next = answer.body?.next;
        }
        return items;
      },
    },
  };
};
