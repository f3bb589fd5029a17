import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { Commit, RecordedEvent } from "#shared/events/event.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import type { ReservationEvent, StockEvent } from "../contract.ts";
import { reservation, stock } from "../domain.ts";
import { reserveStock } from "./reserve-stock.ts";

type Line = { sku: string; quantity: number };

const startInventory = () => {
  const log = memoryEventLog();
  const { methods } = commandActor({
    context: testActorContext(),
    log,
    aggregates: { stock, reservation },
    clock: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  });
  const read = async (type: string, id: string) =>
    (await log.read({ type, id })).flatMap(({ events }) => events);
  return {
    commands: methods,
    receive: (sku: string, quantity: number) =>
      methods.execute({
        type: "stock",
        id: sku,
        command: { type: "ReceiveStock", sku, quantity },
        commandId: `receive-${sku}`,
      }),
    async stockOf(sku: string) {
      const { onHand, reserved, allocations } = (
        (await read("stock", sku)) as unknown as StockEvent[]
      ).reduce(stock.evolve, stock.initialState());
      return { onHand, reserved, allocations: Object.fromEntries(allocations.entries()) };
    },
    reservationOf: (orderId: string) =>
      read("reservation", orderId) as Promise<unknown> as Promise<ReservationEvent[]>,
  };
};

const commit = {} as Commit;
const { signal } = new AbortController();
const orderEvent = (id: string, type: string, data: object): RecordedEvent => ({
  id,
  type,
  data,
  time: "2026-01-01T00:00:00.000Z",
  version: 1,
});
const placed = (orderId: string, ...lines: Line[]) =>
  orderEvent(`place-${orderId}/0`, "OrderPlaced", { orderId, lines });
const cancelled = (orderId: string) => orderEvent(`cancel-${orderId}/0`, "OrderCancelled", { orderId });
const rejected = (orderId: string) => orderEvent(`reject-${orderId}/0`, "OrderRejected", { orderId });

const start = async (stockReceived: Record<string, number>) => {
  const inventory = startInventory();
  for (const [sku, quantity] of Object.entries(stockReceived)) await inventory.receive(sku, quantity);
  const process = reserveStock(inventory.commands);
  return { ...inventory, handle: (event: RecordedEvent) => process.handle(event, commit, signal) };
};

describe("an attempt of reserve-stock whose time is over", () => {
  it("allocates nothing more: what is left is for the attempt that came after it", async () => {
    const { receive, commands, stockOf } = startInventory();
    for (const sku of ["cup", "tea"]) await receive(sku, 5);
    const time = new AbortController();
    const slow = reserveStock({
      ...commands,
      async execute(request) {
        const executed = await commands.execute(request);
        time.abort();
        return executed;
      },
    });
    const order = placed("o1", { sku: "cup", quantity: 1 }, { sku: "tea", quantity: 1 });
    await expect(slow.handle(order, commit, time.signal)).rejects.toThrow("aborted");
    expect([(await stockOf("cup")).reserved, (await stockOf("tea")).reserved]).toEqual([1, 0]);
  });
});

describe("reserve-stock", () => {
  it("allocates the sum of an order's lines per sku, then reserves", async () => {
    const { handle, stockOf, reservationOf } = await start({ tea: 5, cup: 5 });
    const lines = [
      { sku: "tea", quantity: 2 },
      { sku: "cup", quantity: 1 },
      { sku: "tea", quantity: 1 },
    ];
    expect(await handle(placed("o1", ...lines))).toMatchObject({ ok: true });
    expect(await stockOf("tea")).toEqual({ onHand: 5, reserved: 3, allocations: { o1: 3 } });
    expect(await stockOf("cup")).toEqual({ onHand: 5, reserved: 1, allocations: { o1: 1 } });
    expect(await reservationOf("o1")).toMatchObject([
      {
        type: "StockReserved",
        data: {
          orderId: "o1",
          lines: [
            { sku: "cup", quantity: 1 },
            { sku: "tea", quantity: 3 },
          ],
        },
      },
    ]);
  });

  it("leaves in every commit which event asked for it, and the chain that it belongs to", async () => {
    const { commands } = await start({ tea: 5 });
    const process = reserveStock(commands);
    const order = placed("o1", { sku: "tea", quantity: 1 });
    await process.handle(order, { ...commit, metadata: { correlationId: "r1", actor: "jwt:alice" } }, signal);
    for (const [type, id] of [
      ["stock", "tea"],
      ["reservation", "o1"],
    ] as const) {
      const history = await commands.history({ type, id });
      expect(history.ok && history.value.at(-1)?.metadata).toEqual({
        causationId: "place-o1/0",
        correlationId: "r1",
      });
    }
  });

  it("refuses an order of which one sku is short, and leaves nothing allocated", async () => {
    const { handle, stockOf, reservationOf } = await start({ cup: 5, tea: 1 });
    const order = placed("o1", { sku: "cup", quantity: 1 }, { sku: "tea", quantity: 2 });
    expect(await handle(order)).toMatchObject({ ok: true });
    expect(await stockOf("cup")).toMatchObject({ reserved: 0, allocations: {} });
    expect(await reservationOf("o1")).toMatchObject([
      {
        type: "StockRefused",
        data: { orderId: "o1", sku: "tea", detail: expect.stringContaining("only 1") },
      },
    ]);
  });

  it("refuses an order of an unknown sku as out of stock", async () => {
    const { handle, reservationOf } = await start({});
    await handle(placed("o1", { sku: "never-seen", quantity: 1 }));
    expect(await reservationOf("o1")).toMatchObject([
      { type: "StockRefused", data: { sku: "never-seen", detail: expect.stringContaining("out_of_stock") } },
    ]);
  });

  it.each([cancelled, rejected])("gives everything back when the order ends", async (ended) => {
    const { handle, stockOf, reservationOf } = await start({ tea: 5 });
    await handle(placed("o1", { sku: "tea", quantity: 3 }));
    await handle(ended("o1"));
    expect(await stockOf("tea")).toEqual({ onHand: 5, reserved: 0, allocations: {} });
    expect((await reservationOf("o1")).map(({ type }) => type)).toEqual(["StockReserved", "StockReleased"]);
  });

  it("never allocates for an order whose end came first", async () => {
    const { handle, commands, stockOf, reservationOf } = await start({ tea: 5 });
    await handle(cancelled("o1"));
    await handle(placed("o1", { sku: "tea", quantity: 3 }));
    expect((await reservationOf("o1")).map(({ type }) => type)).toEqual(["StockReleased"]);
    expect(await stockOf("tea")).toMatchObject({ reserved: 0 });
    const history = await commands.history({ type: "stock", id: "tea" });
    expect(history.ok && history.value).toHaveLength(1);
  });

  it("tells a failure of the log on, so that the event comes again", async () => {
    const { commands } = startInventory();
    const away = async () => ({ ok: false, error: { code: "unavailable", detail: "away" } }) as const;
    const process = reserveStock({ ...commands, execute: away });
    const order = placed("o1", { sku: "tea", quantity: 1 });
    expect(await process.handle(order, commit, signal)).toEqual(await away());
    expect(await process.handle(cancelled("o1"), commit, signal)).toEqual(await away());
  });
});

/** What may befall one call to a command Actor. */
type Fate = "works" | "works, with its command id long forgotten" | "crashes before" | "crashes after";

/** Commands whose calls interleave as the scheduler wants and meet the fates in turn, then work. */
const troubled = (
  { execute, history, state }: Pick<CommandMethods, "execute" | "history" | "state">,
  scheduler: fc.Scheduler,
  fates: Fate[],
): Pick<CommandMethods, "execute" | "history" | "state"> => {
  let forgotten = 0;
  const scheduled = async <T>(work: () => Promise<T>) => {
    await scheduler.schedule(Promise.resolve());
    return work();
  };
  return {
    history: (aggregate) => scheduled(() => history(aggregate)),
    state: (aggregate) => scheduled(() => state(aggregate)),
    execute: (request) =>
      scheduled(async () => {
        const fate = fates.shift() ?? "works";
        if (fate === "crashes before") throw new Error("crash");
        const commandId =
          fate === "works, with its command id long forgotten"
            ? `${request.commandId}#${++forgotten}`
            : request.commandId;
        const executed = await execute({ ...request, commandId });
        if (fate === "crashes after") throw new Error("crash");
        return executed;
      }),
  };
};

const untilHandled = async (process: Process, event: RecordedEvent): Promise<void> => {
  const handled = await process.handle(event, commit, signal).catch(() => ({ ok: false }));
  if (!handled.ok) await untilHandled(process, event);
};

const fates = fc.array(
  fc.constantFrom<Fate>(
    "works",
    "works",
    "works",
    "works, with its command id long forgotten",
    "crashes before",
    "crashes after",
  ),
  { maxLength: 40 },
);
const lines = fc.array(
  fc.record({ sku: fc.constantFrom("tea", "cup", "pot"), quantity: fc.integer({ min: 1, max: 4 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
);
const order = fc.record({
  lines,
  placedTimes: fc.integer({ min: 1, max: 3 }),
  cancelledTimes: fc.integer({ min: 0, max: 2 }),
});

describe("reserve-stock under any interleaving, repetition and crash of its deliveries", () => {
  it("holds stock for exactly the reserved orders, and none for ended ones", () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fates,
        fc.array(order, { minLength: 1, maxLength: 3 }),
        async (scheduler, plan, orders) => {
          const received = { tea: 5, cup: 5, pot: 5 };
          const inventory = await start(received);
          const process = reserveStock(troubled(inventory.commands, scheduler, [...plan]));
          const deliveries = orders.flatMap(({ lines, placedTimes, cancelledTimes }, index) => [
            ...Array.from({ length: placedTimes }, () => placed(`o${index}`, ...lines)),
            ...Array.from({ length: cancelledTimes }, () => cancelled(`o${index}`)),
          ]);
          await scheduler.waitFor(Promise.all(deliveries.map((event) => untilHandled(process, event))));

          const held: Record<string, Record<string, number>> = { tea: {}, cup: {}, pot: {} };
          for (const [index, { cancelledTimes }] of orders.entries()) {
            const events = await inventory.reservationOf(`o${index}`);
            const story = events.map(({ type }) => type).join();
            expect(
              cancelledTimes > 0
                ? ["StockReleased", "StockReserved,StockReleased", "StockRefused"]
                : ["StockReserved", "StockRefused"],
            ).toContain(story);
            const [first] = events;
            if (story !== "StockReserved" || first?.type !== "StockReserved") continue;
            for (const { sku, quantity } of first.data.lines)
              Object.assign(held[sku] ?? {}, { [`o${index}`]: quantity });
          }
          for (const [sku, onHand] of Object.entries(received)) {
            const allocations = held[sku] ?? {};
            const reserved = Object.values(allocations).reduce((sum, quantity) => sum + quantity, 0);
            expect(await inventory.stockOf(sku)).toEqual({ onHand, reserved, allocations });
            expect(reserved).toBeLessThanOrEqual(onHand);
          }
        },
      ),
      { numRuns: 300 },
    ));
});
