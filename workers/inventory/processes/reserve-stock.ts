/**
 * Reserves an order's stock and gives it back, correct under redelivery, crashes and any order of arrival:
 * the reservation decides in one place, and stock is only given back once it has decided against the order.
 */
import type { CommandMethods } from "#shared/cqrs/command-actor.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { stateOf } from "#shared/cqrs/state-of.ts";
import { type CommitMetadata, causedBy } from "#shared/events/commit-metadata.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { Failure } from "#shared/http/errors.ts";
import { ok, type Result } from "#shared/result.ts";
import type { OrderEvent } from "../../orders/contract.ts";
import type { ReservationLine } from "../contract.ts";
import { type ReservationCommand, reservation, type StockCommand, stock } from "../domain.ts";

type Trigger = Extract<OrderEvent, { type: "OrderPlaced" | "OrderRejected" | "OrderCancelled" }>;
type Shortage = { readonly sku: string; readonly detail: string };

/** One event at work: its commands' ids and metadata come of it, and whose order it is about. */
type Cause = {
  readonly eventId: string;
  readonly orderId: string;
  readonly metadata: CommitMetadata;
  /** Aborts when another delivery may be at it. */
  readonly signal: AbortSignal;
};

export const reserveStock = (commands: Pick<CommandMethods, "execute" | "history" | "state">): Process => {
  const onStock = (command: StockCommand, { eventId, metadata }: Cause, step: string) =>
    commands.execute({
      type: stock.type,
      id: command.sku,
      command,
      commandId: `${eventId}/${step}`,
      metadata,
    });

  const onReservation = (command: ReservationCommand, { eventId, metadata }: Cause, step: string) =>
    commands.execute({
      type: reservation.type,
      id: command.orderId,
      command,
      commandId: `${eventId}/${step}`,
      metadata,
    });

  const reservationOf = (orderId: string) => stateOf(commands, reservation, orderId);

  /** Stops at the first sku that is short; undefined when all lines are allocated. */
  const allocate = async (
    cause: Cause,
    lines: readonly ReservationLine[],
  ): Promise<Result<Shortage | undefined, Failure>> => {
    for (const { sku, quantity } of lines) {
      cause.signal.throwIfAborted();
      const command = { type: "AllocateStock", sku, orderId: cause.orderId, quantity } as const;
      const allocated = await onStock(command, cause, `allocate/${sku}`);
      if (allocated.ok) continue;
      const { code, detail } = allocated.error;
      return code === "out_of_stock" ? ok({ sku, detail }) : allocated;
    }
    return ok(undefined);
  };

  /** A duplicate tells what was done then, not what holds now: asks under the next id until it is decided afresh. */
  const deallocate = async (cause: Cause, sku: string): Promise<Result<unknown, Failure>> => {
    for (let attempt = 0; ; attempt++) {
      const command = { type: "DeallocateStock", sku, orderId: cause.orderId } as const;
      const deallocated = await onStock(command, cause, `deallocate/${sku}/${attempt}`);
      if (!deallocated.ok || !deallocated.value.duplicate) return deallocated;
    }
  };

  const deallocateAll = async (
    cause: Cause,
    lines: readonly ReservationLine[],
  ): Promise<Result<unknown, Failure>> => {
    for (const { sku } of lines) {
      const deallocated = await deallocate(cause, sku);
      if (!deallocated.ok) return deallocated;
    }
    return ok(undefined);
  };

  const decide = (cause: Cause, lines: readonly ReservationLine[], shortage?: Shortage) => {
    const { orderId } = cause;
    return shortage
      ? onReservation({ type: "RefuseStock", orderId, ...shortage }, cause, "refuse")
      : onReservation({ type: "ReserveStock", orderId, lines }, cause, "reserve");
  };

  const reserve = async (
    cause: Cause,
    ordered: readonly ReservationLine[],
  ): Promise<Result<unknown, Failure>> => {
    const lines = perSku(ordered);
    const before = await reservationOf(cause.orderId);
    if (!before.ok) return before;
    if (before.value.status === "open") {
      const shortage = await allocate(cause, lines);
      if (!shortage.ok) return shortage;
      const decision = await decide(cause, lines, shortage.value);
      if (!decision.ok && decision.error.code !== "reservation_decided") return decision;
      const reservedNow = decision.ok && !decision.value.duplicate && !shortage.value;
      if (reservedNow) return decision;
    }
    // Another delivery, or the order's end, may have decided meanwhile: only the reservation itself tells.
    const after = await reservationOf(cause.orderId);
    if (!after.ok || after.value.status === "reserved") return after;
    return deallocateAll(cause, lines);
  };

  const release = async (cause: Cause): Promise<Result<unknown, Failure>> => {
    const { orderId } = cause;
    const released = await onReservation({ type: "ReleaseStock", orderId }, cause, "release");
    if (!released.ok) return released;
    const after = await reservationOf(orderId);
    if (!after.ok) return after;
    // What a delivery of OrderPlaced is still allocating, it gives back itself when it sees the release.
    return deallocateAll(cause, after.value.status === "released" ? after.value.lines : []);
  };

  return {
    name: "reserve-stock",
    source: "orders",
    handles: ["OrderPlaced", "OrderRejected", "OrderCancelled"] satisfies Trigger["type"][],
    handle(event, commit, signal) {
      const { id, type, data } = event as RecordedEvent<Trigger>;
      const cause = { eventId: id, orderId: data.orderId, metadata: causedBy(event, commit), signal };
      return type === "OrderPlaced" ? reserve(cause, data.lines) : release(cause);
    },
  };
};

/** One line a sku, in a fixed order, so that every delivery of the same order goes the same way. */
const perSku = (lines: readonly ReservationLine[]): ReservationLine[] => {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities]
    .map(([sku, quantity]) => ({ sku, quantity }))
    .sort((a, b) => (a.sku < b.sku ? -1 : 1));
};
