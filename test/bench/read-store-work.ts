/** What is measured of a read store: the orders' read model rebuilt, and the same rows written one by one. */
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { Commit } from "#shared/events/event.ts";
import { LIMITS } from "#shared/limits.ts";
import type { OrderEvent } from "#workers/orders/contract.ts";
import { ordersProjection } from "#workers/orders/projections/orders.ts";

/** Parameters are `?`, in every dialect. */
export interface BareStatement {
  readonly sql: string;
  readonly params: readonly string[];
}

/** In one transaction, one after another. */
export type RunBare = (statements: readonly BareStatement[]) => Promise<void>;

const batchesOf = (commits: readonly Commit[]): Commit[][] =>
  Array.from({ length: Math.ceil(commits.length / LIMITS.projectionBatch) }, (_, batch) =>
    commits.slice(batch * LIMITS.projectionBatch, (batch + 1) * LIMITS.projectionBatch),
  );

/** All that the stores do for it: the copy, its rows, and the take-over; the log is not part of it. */
export const rebuildOrders = async (store: ReadStore, commits: readonly Commit[]): Promise<void> => {
  const { name: projection, tables } = ordersProjection;
  const copies = { tables, suffix: "v2", copy: `${projection}@v2` };
  const last = commits.at(-1)?.position ?? 0;
  await store.createCopies(copies);
  let from = 0;
  for (const batch of batchesOf(commits)) {
    const changes = ordersProjection
      .changes(batch)
      .map((change) => ({ ...change, table: `${change.table}__v2` }));
    const to = batch.at(-1)?.position ?? from;
    await store.apply({ projection: copies.copy, from, to, changes });
    from = to;
  }
  const standing = await store.checkpoint(projection);
  await store.apply({ projection, from: standing, to: last, changes: [] });
  const taken = await store.takeOver({ ...copies, projection, at: last });
  if (taken !== "taken") throw new Error(`Taking the place of "orders": "${taken}", expected "taken"`);
};

/** As a projection writes that has a statement for each event. */
export const writeRowByRow = async (run: RunBare, commits: readonly Commit[]): Promise<void> => {
  await run([{ sql: "DELETE FROM orders", params: [] }]);
  for (const batch of batchesOf(commits)) await run(batch.flatMap(({ events }) => events as never).map(bare));
};

const bare = (event: OrderEvent & { readonly time: string }): BareStatement => {
  if (event.type !== "OrderPlaced") {
    const sql = "UPDATE orders SET status = ?, confirmed_at = ? WHERE order_id = ?";
    return { sql, params: ["confirmed", event.time, event.data.orderId] };
  }
  const { orderId, customerId, lines, total, placedAt } = event.data;
  return {
    sql: "INSERT INTO orders (order_id, customer_id, status, lines, total, placed_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO NOTHING",
    params: [orderId, customerId, "placed", JSON.stringify(lines), JSON.stringify(total), placedAt],
  };
};

/** So many: half places orders, half confirms them, 500 orders later. */
export const orderCommits = (count: number): Commit[] => {
  const time = "2026-01-31T12:00:00.000Z";
  const lines = [{ sku: "MUG", quantity: 2, price: { amount: 1250, currency: "EUR" as const } }];
  const total = { amount: 2500, currency: "EUR" as const };
  const ids = Array.from({ length: count / 2 }, () => crypto.randomUUID());
  const placed = ids.map(
    (orderId): OrderEvent => ({
      type: "OrderPlaced",
      data: { orderId, customerId: `c${orderId.slice(0, 2)}`, lines, total, placedAt: time },
    }),
  );
  const confirmed = ids.map((orderId): OrderEvent => ({ type: "OrderConfirmed", data: { orderId } }));
  const ahead = 500;
  const events = [...placed.slice(0, ahead)];
  for (let n = 0; n < ids.length; n++) {
    events.push(...confirmed.slice(n, n + 1), ...placed.slice(n + ahead, n + ahead + 1));
  }
  return events.map((event, index) => ({
    aggregate: { type: "order", id: event.data.orderId },
    position: index + 1,
    commandId: `c${index}`,
    trace: {},
    metadata: {},
    events: [{ ...event, id: `c${index}/0`, time, version: 1 }],
  }));
};
