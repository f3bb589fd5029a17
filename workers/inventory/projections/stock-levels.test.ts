import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "#shared/events/event.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import type { InventoryEvent } from "../contract.ts";
import { stock } from "../domain.ts";
import { d1StockStore } from "../stock-store.ts";
import { stockLevelsProjection } from "./stock-levels.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await startD1Database("inventory");
});
beforeEach(() => test.clear());
afterAll(() => test.close());

const commitOf = (position: number, ...events: InventoryEvent[]): Commit => ({
  aggregate: { type: "stock", id: "any" },
  position,
  commandId: `c${position}`,
  trace: {},
  metadata: {},
  events: events.map((event, index) => ({
    ...event,
    id: `c${position}/${index}`,
    time: "2026-01-01T00:00:00.000Z",
    version: position,
  })),
});

const apply = async (commits: readonly Commit[]) => {
  const store = d1ReadStore(test.database);
  const from = await store.checkpoint(stockLevelsProjection.name);
  return store.apply({
    projection: stockLevelsProjection.name,
    from,
    to: commits.at(-1)?.position ?? from,
    changes: stockLevelsProjection.changes(commits),
  });
};
const rows = () => d1StockStore(test.database).list({ after: "", limit: 100 });

const event = fc.record({
  kind: fc.constantFrom("ReceiveStock", "AllocateStock", "DeallocateStock"),
  sku: fc.constantFrom("tea", "CUP", "10", "a_b-c"),
  orderId: fc.constantFrom("o1", "o2"),
  quantity: fc.integer({ min: 1, max: 9 }),
});

describe("stock-levels", () => {
  it("shows of every sku what its aggregate holds, however the commits are batched", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (asked, size) => {
          await test.clear();
          const states = new Map<string, ReturnType<typeof stock.initialState>>();
          const commits: Commit[] = [];
          for (const { kind, ...command } of asked) {
            const state = states.get(command.sku) ?? stock.initialState();
            const decided = stock.decide({ type: kind, ...command } as never, state);
            if (!decided.ok || decided.value.length === 0) continue;
            states.set(command.sku, decided.value.reduce(stock.evolve, state));
            commits.push(commitOf(commits.length + 1, ...decided.value));
          }
          for (let done = 0; done < commits.length; done += size)
            await apply(commits.slice(done, done + size));
          const expected = [...states].map(([sku, { onHand, reserved }]) => ({ sku, onHand, reserved }));
          expect(await rows()).toEqual(expected.sort((a, b) => (a.sku < b.sku ? -1 : 1)));
        },
      ),
      { numRuns: 25 },
    ));

  it("changes no row for commits that change no stock", () =>
    expect(
      stockLevelsProjection.changes([commitOf(1, { type: "StockReleased", data: { orderId: "o1" } })]),
    ).toMatchObject([{ rows: [] }]));

  it("counts what cannot be expressed in 32 bits", async () => {
    const quantity = Number.MAX_SAFE_INTEGER - 1;
    await apply([commitOf(1, { type: "StockReceived", data: { sku: "tea", quantity } })]);
    await apply([commitOf(2, { type: "StockReceived", data: { sku: "tea", quantity: 1 } })]);
    expect(await rows()).toEqual([{ sku: "tea", onHand: Number.MAX_SAFE_INTEGER, reserved: 0 }]);
  });
});
