import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specification } from "#shared/cqrs/specification.ts";
import type { ReservationEvent, StockEvent } from "./contract.ts";
import { reservation, type StockCommand, stock } from "./domain.ts";

const received = (quantity: number): StockEvent => ({
  type: "StockReceived",
  data: { sku: "tea", quantity },
});
const allocated = (orderId: string, quantity: number): StockEvent => ({
  type: "StockAllocated",
  data: { sku: "tea", orderId, quantity },
});
const deallocated = (orderId: string, quantity: number): StockEvent => ({
  type: "StockDeallocated",
  data: { sku: "tea", orderId, quantity },
});
const allocate = (orderId: string, quantity: number): StockCommand => ({
  type: "AllocateStock",
  sku: "tea",
  orderId,
  quantity,
});
const deallocate = (orderId: string): StockCommand => ({ type: "DeallocateStock", sku: "tea", orderId });

describe("stock", () => {
  const { given } = specification(stock);

  it("takes in what is received", () =>
    given([])
      .when({ type: "ReceiveStock", sku: "tea", quantity: 5 })
      .records([received(5)]));

  it("comes back whole from its snapshot", () => {
    const events = [
      received(9),
      allocated("a", 2),
      allocated("b", 3),
      deallocated("a", 2),
      allocated("c", 1),
    ];
    const state = events.reduce(stock.evolve, stock.initialState());
    const again = stock.snapshot?.decode?.(JSON.parse(JSON.stringify(stock.snapshot.encode?.(state))));
    expect({ ...again, allocations: Object.fromEntries(again?.allocations.entries() ?? []) }).toEqual({
      onHand: 9,
      reserved: 4,
      allocations: { b: 3, c: 1 },
    });
    expect(again?.allocations.size).toBe(2);
  });

  it("takes in up to what can be counted exactly", () =>
    given([received(Number.MAX_SAFE_INTEGER - 1)])
      .when({ type: "ReceiveStock", sku: "tea", quantity: 1 })
      .records([received(1)]));

  it("refuses what could no longer be counted exactly", () =>
    given([received(Number.MAX_SAFE_INTEGER)])
      .when({ type: "ReceiveStock", sku: "tea", quantity: 1 })
      .refuses("stock_full", '"tea"'));

  it("allocates the last piece", () =>
    given([received(5), allocated("o1", 3)])
      .when(allocate("o2", 2))
      .records([allocated("o2", 2)]));

  it("refuses one piece more than is available, and says how many are", () =>
    given([received(5), allocated("o1", 3)])
      .when(allocate("o2", 3))
      .refuses("out_of_stock", "only 2"));

  it("refuses a sku that was never received as out of stock", () =>
    given([]).when(allocate("o1", 1)).refuses("out_of_stock"));

  it("allocates an order's share only once", () =>
    given([received(5), allocated("o1", 3)])
      .when(allocate("o1", 3))
      .records([]));

  it("gives back exactly what the order holds", () =>
    given([received(5), allocated("o1", 3), allocated("o2", 1)])
      .when(deallocate("o1"))
      .records([deallocated("o1", 3)]));

  it("has nothing to give back twice, or for an order that holds nothing", () => {
    given([received(5), allocated("o1", 3), deallocated("o1", 3)])
      .when(deallocate("o1"))
      .records([]);
    given([received(5)])
      .when(deallocate("o1"))
      .records([]);
  });

  it("can be allocated again once given back", () =>
    given([received(5), allocated("o1", 5), deallocated("o1", 5)])
      .when(allocate("o2", 5))
      .records([allocated("o2", 5)]));

  it("never promises more than it has, and reserves the sum of its allocations, whatever is asked", () => {
    const order = fc.constantFrom("o1", "o2", "o3");
    const command = fc.oneof(
      fc.nat(9).map((n): StockCommand => ({ type: "ReceiveStock", sku: "tea", quantity: n + 1 })),
      fc.tuple(order, fc.nat(9)).map(([orderId, n]) => allocate(orderId, n + 1)),
      order.map(deallocate),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        let state = stock.initialState();
        for (const each of commands) {
          const decision = stock.decide(each, state);
          if (decision.ok) state = decision.value.reduce(stock.evolve, state);
          const held = [...state.allocations.entries()].reduce((sum, [, quantity]) => sum + quantity, 0);
          expect(state.reserved).toBe(held);
          expect(state.onHand - state.reserved).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe("reservation", () => {
  const { given } = specification(reservation);
  const lines = [{ sku: "tea", quantity: 2 }];
  const reserved: ReservationEvent = { type: "StockReserved", data: { orderId: "o1", lines } };
  const refused: ReservationEvent = {
    type: "StockRefused",
    data: { orderId: "o1", sku: "tea", detail: "only 1" },
  };
  const released: ReservationEvent = { type: "StockReleased", data: { orderId: "o1" } };
  const reserve = { type: "ReserveStock", orderId: "o1", lines } as const;
  const refuse = { type: "RefuseStock", orderId: "o1", sku: "tea", detail: "only 1" } as const;
  const release = { type: "ReleaseStock", orderId: "o1" } as const;

  it("is decided by whoever comes first", () => {
    given([]).when(reserve).records([reserved]);
    given([]).when(refuse).records([refused]);
  });

  it("stays as decided when asked the same again", () => {
    given([reserved]).when(reserve).records([]);
    given([refused]).when(refuse).records([]);
    given([released]).when(release).records([]);
  });

  it("is never decided the other way", () => {
    given([reserved]).when(refuse).refuses("reservation_decided", "already reserved");
    given([refused]).when(reserve).refuses("reservation_decided", "already refused");
  });

  it("is released after it was reserved", () => given([reserved]).when(release).records([released]));

  it("has nothing to release after it was refused", () => given([refused]).when(release).records([]));

  it("is never made after a release that came first", () => {
    given([]).when(release).records([released]);
    given([released]).when(reserve).refuses("reservation_decided", "already released");
    given([released]).when(refuse).refuses("reservation_decided", "already released");
  });

  it("remembers after a release which lines it held", () =>
    expect([reserved, released].reduce(reservation.evolve, reservation.initialState())).toEqual({
      status: "released",
      lines,
    }));
});
