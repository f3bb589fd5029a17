/**
 * Stock counts pieces of one sku and knows which order holds how many; a reservation is one order's decision.
 * The reservation decides once and for all; stock is put back only after it has decided against the order.
 */
import type { Aggregate, SnapshotDeclaration } from "#shared/cqrs/aggregate.ts";
import { type PersistentMap, persistentMap } from "#shared/cqrs/persistent-map.ts";
import type { Failure } from "#shared/http/errors.ts";
import { err, ok } from "#shared/result.ts";
import type { ReservationEvent, ReservationLine, StockEvent } from "./contract.ts";

export type StockCommand =
  | { readonly type: "ReceiveStock"; readonly sku: string; readonly quantity: number }
  | {
      readonly type: "AllocateStock";
      readonly sku: string;
      readonly orderId: string;
      readonly quantity: number;
    }
  | { readonly type: "DeallocateStock"; readonly sku: string; readonly orderId: string };

export type StockState = {
  readonly onHand: number;
  /** Sum of the allocations. */
  readonly reserved: number;
  /** Pieces by order id; only what is allocated now. */
  readonly allocations: PersistentMap<number>;
};

const allocated = (state: StockState, orderId: string, quantity: number): StockState => ({
  ...state,
  reserved: state.reserved + quantity,
  allocations: state.allocations.set(orderId, quantity),
});

const deallocated = (state: StockState, orderId: string, quantity: number): StockState => ({
  ...state,
  reserved: state.reserved - quantity,
  allocations: state.allocations.delete(orderId),
});

const receive = ({ sku, quantity }: ReservationLine, { onHand }: StockState) => {
  if (onHand > Number.MAX_SAFE_INTEGER - quantity) {
    return err({
      code: "stock_full",
      detail: `Receiving ${quantity} of "${sku}" on top of ${onHand} would exceed ${Number.MAX_SAFE_INTEGER}, the most that can be counted.`,
    });
  }
  return ok([{ type: "StockReceived" as const, data: { sku, quantity } }]);
};

const allocate = (line: ReservationLine & { orderId: string }, state: StockState) => {
  const { sku, orderId, quantity } = line;
  if (state.allocations.get(orderId) !== undefined) return ok([]);
  const available = state.onHand - state.reserved;
  if (quantity > available) {
    return err({
      code: "out_of_stock",
      detail: `The order asks for ${quantity} of "${sku}", but only ${available} can be had: out_of_stock.`,
    });
  }
  return ok([{ type: "StockAllocated" as const, data: { sku, orderId, quantity } }]);
};

/** Of a sku that sells, each order leaves two events. */
const stockSnapshot: SnapshotDeclaration<StockState> = {
  version: 1,
  every: 200,
  inLog: true,
  encode: ({ allocations, ...sums }) => ({ ...sums, allocations: [...allocations.entries()] }),
  decode(json) {
    const { allocations, ...sums } = json as EncodedStock;
    return {
      ...sums,
      allocations: allocations.reduce((map, [id, pieces]) => map.set(id, pieces), persistentMap<number>()),
    };
  },
};

type EncodedStock = Omit<StockState, "allocations"> & { readonly allocations: readonly [string, number][] };

export const stock: Aggregate<StockState, StockCommand, StockEvent> = {
  type: "stock",
  snapshot: stockSnapshot,

  initialState: () => ({ onHand: 0, reserved: 0, allocations: persistentMap<number>() }),

  evolve(state, { type, data }) {
    switch (type) {
      case "StockReceived":
        return { ...state, onHand: state.onHand + data.quantity };
      case "StockAllocated":
        return allocated(state, data.orderId, data.quantity);
      case "StockDeallocated":
        return deallocated(state, data.orderId, data.quantity);
      default:
        return state;
    }
  },

  decide(command, state) {
    switch (command.type) {
      case "ReceiveStock":
        return receive(command, state);
      case "AllocateStock":
        return allocate(command, state);
      case "DeallocateStock": {
        const { sku, orderId } = command;
        const quantity = state.allocations.get(orderId);
        return ok(
          quantity === undefined ? [] : [{ type: "StockDeallocated", data: { sku, orderId, quantity } }],
        );
      }
    }
  },
};

export type ReservationCommand =
  | { readonly type: "ReserveStock"; readonly orderId: string; readonly lines: readonly ReservationLine[] }
  | { readonly type: "RefuseStock"; readonly orderId: string; readonly sku: string; readonly detail: string }
  | { readonly type: "ReleaseStock"; readonly orderId: string };

export type ReservationState =
  | { readonly status: "open" }
  | { readonly status: "reserved"; readonly lines: readonly ReservationLine[] }
  | { readonly status: "refused" }
  /** `lines` is what was reserved; empty when the release came first. */
  | { readonly status: "released"; readonly lines: readonly ReservationLine[] };

const decided = (orderId: string, status: string): { ok: false; error: Failure } =>
  err({
    code: "reservation_decided",
    detail: `The reservation of order "${orderId}" is already ${status}; it is decided only once.`,
  });

export const reservation: Aggregate<ReservationState, ReservationCommand, ReservationEvent> = {
  type: "reservation",

  initialState: () => ({ status: "open" }),

  evolve(state, { type, data }) {
    switch (type) {
      case "StockReserved":
        return { status: "reserved", lines: data.lines };
      case "StockRefused":
        return { status: "refused" };
      case "StockReleased":
        return { status: "released", lines: state.status === "reserved" ? state.lines : [] };
      default:
        return state;
    }
  },

  decide(command, { status }) {
    const { orderId } = command;
    switch (command.type) {
      case "ReserveStock":
        if (status === "reserved") return ok([]);
        if (status !== "open") return decided(orderId, status);
        return ok([{ type: "StockReserved", data: { orderId, lines: command.lines } }]);
      case "RefuseStock":
        if (status === "refused") return ok([]);
        if (status !== "open") return decided(orderId, status);
        return ok([{ type: "StockRefused", data: { orderId, sku: command.sku, detail: command.detail } }]);
      case "ReleaseStock":
        if (status === "refused" || status === "released") return ok([]);
        return ok([{ type: "StockReleased", data: { orderId } }]);
    }
  },
};
