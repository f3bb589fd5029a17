/** Clients that place and cancel as many orders as they are told, and ask for them all the while, whatever happens to the system. */
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, eventually, type Shop } from "../e2e/shop.ts";

export interface Command {
  readonly status: number;
  readonly tookMs: number;
  readonly retryAfter: string | null;
}

export interface LoadReport {
  /** What each acknowledged Idempotency-Key stands for. */
  readonly orders: ReadonlyMap<string, string>;
  /** Orders whose cancellation was acknowledged. */
  readonly cancelled: ReadonlySet<string>;
  /** Answers to commands that were neither taken nor lost to the order's own state. */
  readonly refused: readonly Command[];
  readonly queries: readonly { readonly status: number; readonly tookMs: number }[];
  /** Requests that got no answer at all. */
  readonly broken: number;
}

export interface OrderLoad {
  readonly report: LoadReport;
  /** Has the clients place that many orders more; resolves when all that were ever asked for are acknowledged. */
  place(orders: number): Promise<void>;
  /** Lets every client finish what it has begun; each of its commands is acknowledged then. @throws when that takes too long */
  stop(): Promise<LoadReport>;
  /** The body that the key came with, and is to come with again. */
  bodyOf(key: string): object;
}

const CLIENTS = 8;
const QUERY_CLIENTS = 2;
/** Far less than `Retry-After` asks for: clients that push are the harder case. */
const PAUSE_MS = 50;
const IDLE_MS = 5;
const FINISH_MS = 20_000;
const PLACED_MS = 40_000;
const CANCEL_EVERY = 6;

/** @param shop reaches the system, which may move between two calls; @param skus must be in stock */
export const startOrderLoad = (shop: () => Shop, skus: readonly string[]): OrderLoad => {
  const orders = new Map<string, string>();
  const cancelled = new Set<string>();
  const refused: Command[] = [];
  const queries: { status: number; tookMs: number }[] = [];
  const report = { orders, cancelled, refused, queries, broken: 0 };
  let stopping = false;
  let toPlace = 0;
  let asked = 0;
  let giveUpAt = Number.POSITIVE_INFINITY;

  const bodyOf = (key: string) => {
    const count = Number(key.split("-").at(-1));
    const sku = skus[count % skus.length] ?? "";
    return { customerId: key.split("-")[0] ?? "", lines: [{ sku, quantity: 1 + (count % 3) }] };
  };

  /** Sends it until it is answered by one of these statuses. */
  const persist = async (send: () => Promise<Answer>, accepted: readonly number[]): Promise<Answer> => {
    while (Date.now() < giveUpAt) {
      const answer = await send().catch(() => undefined);
      if (answer && accepted.includes(answer.status)) return answer;
      if (answer) {
        const { status, tookMs, headers } = answer;
        refused.push({ status, tookMs, retryAfter: headers.get("retry-after") });
      } else report.broken += 1;
      await delay(PAUSE_MS);
    }
    throw new Error(`A command was not acknowledged within ${FINISH_MS / 1000} s after the fault was over`);
  };

  const mayPlace = async (): Promise<boolean> => {
    while (toPlace === 0) {
      if (stopping) return false;
      await delay(IDLE_MS);
    }
    toPlace -= 1;
    return true;
  };

  const placeAndCancel = async (client: number) => {
    for (let count = 0; await mayPlace(); count++) {
      const key = `client${client}-${count}`;
      const call = { method: "POST", body: bodyOf(key), headers: { "idempotency-key": key } };
      const placed = await persist(() => shop().request("/orders/v1/orders", call), [202]);
      const orderId = String(placed.body?.orderId);
      orders.set(key, orderId);
      if (count % CANCEL_EVERY !== CANCEL_EVERY - 1) continue;
      const answer = await persist(() => shop().cancel(orderId), [202, 409]);
      // 409 may also be the answer to a repetition, after the first answer was lost.
      if (answer.status === 202 || answer.body?.type === "/problems/order_already_cancelled")
        cancelled.add(orderId);
    }
  };

  const ask = async (client: number) => {
    const paths = [
      "/orders/v1/orders?limit=5",
      "/inventory/v1/stock?limit=5",
      "/payments/v1/payments?limit=5",
    ];
    for (let count = client; !stopping; count++) {
      const answer = await shop()
        .request(paths[count % paths.length] ?? "")
        .catch(() => undefined);
      if (answer) queries.push({ status: answer.status, tookMs: answer.tookMs });
      else report.broken += 1;
      await delay(PAUSE_MS);
    }
  };

  const clients = Promise.all([
    ...Array.from({ length: CLIENTS }, (_, client) => placeAndCancel(client)),
    ...Array.from({ length: QUERY_CLIENTS }, (_, client) => ask(client)),
  ]);
  // Whoever calls `stop` is told; until then a failure must not end the process.
  clients.catch(() => undefined);

  return {
    report,
    bodyOf,
    async place(more) {
      toPlace += more;
      asked += more;
      await eventually(() => {
        if (orders.size < asked) throw new Error(`${orders.size} of ${asked} orders are acknowledged`);
      }, PLACED_MS);
    },
    async stop() {
      stopping = true;
      giveUpAt = Date.now() + FINISH_MS;
      await clients;
      return report;
    },
  };
};
