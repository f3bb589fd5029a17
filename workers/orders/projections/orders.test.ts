import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SubjectEvent } from "#shared/erasure/subject.ts";
import type { Commit } from "#shared/events/event.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import type { OrderEvent } from "../contract.ts";
import { type OrderCommand, order } from "../domain.ts";
import { d1OrderStore } from "../order-store.ts";
import { ordersProjection } from "./orders.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await startD1Database("orders");
});
beforeEach(() => test.clear());
afterAll(() => test.close());

const AT = Date.parse("2026-01-31T12:00:00.000Z");
const timeOf = (position: number) => new Date(AT + position).toISOString();

const commitOf = (position: number, ...events: (OrderEvent | SubjectEvent)[]): Commit => ({
  aggregate: { type: "order", id: "any" },
  position,
  commandId: `c${position}`,
  trace: {},
  metadata: {},
  events: events.map((event, index) => ({
    ...event,
    id: `c${position}/${index}`,
    time: timeOf(position),
    version: position,
  })),
});

const apply = async (commits: readonly Commit[]) => {
  const store = d1ReadStore(test.database);
  const from = await store.checkpoint(ordersProjection.name);
  const to = commits.at(-1)?.position ?? from;
  return store.apply({
    projection: ordersProjection.name,
    from,
    to,
    changes: ordersProjection.changes(commits),
  });
};

const lines = [{ sku: 'te"a', quantity: 2, price: { amount: 1250, currency: "EUR" as const } }];
const place = (orderId: string): OrderCommand => ({
  type: "PlaceOrder",
  orderId,
  customerId: "ada",
  lines,
  at: AT,
});
const commandsFor = (orderId: string): OrderCommand[] => [
  place(orderId),
  { type: "RecordStockReserved", orderId },
  { type: "ConfirmOrder", orderId },
  { type: "RejectOrder", orderId, reason: "out_of_stock", detail: "none left" },
  { type: "CancelOrder", orderId, reason: "changed my mind", at: AT, windowMinutes: 30 },
];

describe("orders", () => {
  it("shows an order as it was placed, and when and why it ended", async () => {
    const orderId = uuidv7();
    await apply([
      commitOf(1, {
        type: "OrderPlaced",
        data: {
          orderId,
          customerId: "ada",
          lines,
          total: { amount: 2500, currency: "EUR" },
          placedAt: timeOf(1),
        },
      }),
    ]);
    await apply([commitOf(2, { type: "OrderConfirmed", data: { orderId } })]);
    await apply([commitOf(3, { type: "OrderCancelled", data: { orderId, reason: "changed my mind" } })]);
    expect(await d1OrderStore(test.database).find(orderId)).toEqual({
      orderId,
      customerId: "ada",
      status: "cancelled",
      reason: "changed my mind",
      detail: null,
      lines,
      deliveryAddress: null,
      total: { amount: 2500, currency: "EUR" },
      placedAt: timeOf(1),
      confirmedAt: timeOf(2),
      rejectedAt: null,
      cancelledAt: timeOf(3),
    });
  });

  it("shows where an order goes until its customer is forgotten, and whatever else is in it after that", async () => {
    const [adas, bobs] = [uuidv7(), uuidv7()];
    const placed = (orderId: string, customerId: string): OrderEvent => ({
      type: "OrderPlaced",
      data: {
        orderId,
        customerId,
        lines,
        total: { amount: 2500, currency: "EUR" },
        placedAt: timeOf(1),
        deliveryAddress: `at ${customerId}'s`,
      },
    });
    const shown = async () => {
      const rows = await Promise.all([adas, bobs].map((id) => d1OrderStore(test.database).find(id)));
      return rows.map((row) => [row?.customerId, row?.deliveryAddress, row?.status]);
    };
    await apply([commitOf(1, placed(adas, "ada")), commitOf(2, placed(bobs, "bob"))]);
    await apply([commitOf(3, { type: "OrderConfirmed", data: { orderId: adas } })]);
    expect(await shown()).toEqual([
      ["ada", "at ada's", "confirmed"],
      ["bob", "at bob's", "placed"],
    ]);
    await apply([commitOf(4, { type: "SubjectForgotten", data: { subject: "ada" } })]);
    expect(await shown()).toEqual([
      ["ada", null, "confirmed"],
      ["bob", "at bob's", "placed"],
    ]);
  });

  it("shows every order in the state of its aggregate, however the commits are batched", () => {
    const ids = [uuidv7(), uuidv7(), uuidv7()];
    const step = fc.record({ order: fc.nat(ids.length - 1), command: fc.nat(4) });
    return fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        async (steps, size) => {
          await test.clear();
          const states = new Map(ids.map((id) => [id, order.initialState()]));
          const commits: Commit[] = [];
          for (const { order: n, command } of steps) {
            const id = ids[n] ?? "";
            const state = states.get(id) ?? order.initialState();
            const decided = order.decide(commandsFor(id)[command] ?? place(id), state);
            if (!decided.ok || decided.value.length === 0) continue;
            states.set(id, decided.value.reduce(order.evolve, state));
            commits.push(commitOf(commits.length + 1, ...decided.value));
          }
          for (let done = 0; done < commits.length; done += size)
            await apply(commits.slice(done, done + size));
          const rows = await d1OrderStore(test.database).list({
            customerId: undefined,
            status: undefined,
            before: undefined,
            limit: 100,
          });
          const shown = Object.fromEntries(rows.map(({ orderId, status }) => [orderId, status]));
          const folded = [...states].filter(([, { status }]) => status !== "none");
          expect(shown).toEqual(Object.fromEntries(folded.map(([id, { status }]) => [id, status])));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("lists newest first, by customer and by status, after any order", async () => {
    const ids = Array.from({ length: 5 }, (_, n) => uuidv7({ msecs: AT + n }));
    const placed = ids.map((orderId, n) =>
      commitOf(n + 1, {
        type: "OrderPlaced",
        data: {
          orderId,
          customerId: n % 2 ? "bob" : "ada",
          lines,
          total: { amount: 1, currency: "EUR" },
          placedAt: timeOf(n),
        },
      }),
    );
    await apply([...placed, commitOf(6, { type: "OrderConfirmed", data: { orderId: ids[4] ?? "" } })]);
    const list = async (query: { customerId?: string; status?: "placed" | "confirmed"; before?: string }) => {
      const { customerId, status, before } = query;
      const rows = await d1OrderStore(test.database).list({ customerId, status, before, limit: 2 });
      return rows.map(({ orderId }) => ids.indexOf(orderId));
    };
    expect(await list({})).toEqual([4, 3]);
    expect(await list({ before: ids[3] ?? "" })).toEqual([2, 1]);
    expect(await list({ customerId: "ada" })).toEqual([4, 2]);
    expect(await list({ status: "placed", customerId: "ada" })).toEqual([2, 0]);
    expect(await list({ status: "confirmed" })).toEqual([4]);
  });
});
