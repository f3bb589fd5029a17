import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import type { Process } from "#shared/cqrs/process.ts";
import type { Commit, RecordedEvent } from "#shared/events/event.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { err, ok } from "#shared/result.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import { payment } from "../domain.ts";
import type { AuthorisationAnswer, PaymentProvider } from "../provider.ts";
import { collectPayment } from "./collect-payment.ts";

type Commands = Pick<CommandMethods, "execute" | "history" | "state">;

const startPayments = () => {
  const log = memoryEventLog();
  const { methods } = commandActor({
    context: testActorContext(),
    log,
    aggregates: { payment },
    clock: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  });
  return {
    commands: methods as Commands,
    async story() {
      const commits = await log.read({ type: "payment", id: "o1" });
      return commits.flatMap(({ events }) => events.map(({ type }) => type)).join();
    },
  };
};

const failed = err({ code: "provider_failed", detail: "no answer" } as const);

/** A provider that decides once per order, and can be told in advance that an order is void. */
const startProvider = (verdict: "authorise" | "decline" = "authorise") => {
  const answers = new Map<string, AuthorisationAnswer>();
  const live = new Set<string>();
  const declined: AuthorisationAnswer = { outcome: "declined", detail: "no funds" };
  const provider: PaymentProvider = {
    async authorise(orderId) {
      const known = answers.get(orderId);
      if (known) return ok(known);
      const authorisationId = `authorisation-of-${orderId}`;
      const answer: AuthorisationAnswer =
        verdict === "decline" ? declined : { outcome: "authorised", authorisationId };
      if (verdict === "authorise") live.add(authorisationId);
      answers.set(orderId, answer);
      return ok(answer);
    },
    async void(authorisationId) {
      live.delete(authorisationId);
      return ok(undefined);
    },
    async voidOrder(orderId) {
      live.delete(`authorisation-of-${orderId}`);
      answers.set(orderId, declined);
      return ok(undefined);
    },
  };
  return { provider, live, asked: () => answers.size };
};

const commit = {} as Commit;
const { signal } = new AbortController();
const orderEvent = (id: string, type: string, data: object): RecordedEvent => ({
  id,
  type,
  data: { orderId: "o1", ...data },
  time: "2026-01-01T00:00:00.000Z",
  version: 1,
});
const total = { amount: 1999, currency: "EUR" };
const stockReserved = orderEvent("reserved/0", "OrderStockReserved", { customerId: "c1", total });
const cancelled = orderEvent("cancel/0", "OrderCancelled", { reason: "changed my mind" });
const rejected = orderEvent("reject/0", "OrderRejected", { reason: "payment_declined", detail: "no funds" });

const start = (verdict?: "authorise" | "decline") => {
  const payments = startPayments();
  const provider = startProvider(verdict);
  const handle = (
    event: RecordedEvent,
    with_: Partial<PaymentProvider> = {},
    commands: Partial<Commands> = {},
  ) =>
    collectPayment({ ...payments.commands, ...commands }, { ...provider.provider, ...with_ }).handle(
      event,
      commit,
      signal,
    );
  return { ...payments, ...provider, handle };
};

describe("collect-payment", () => {
  it("authorises the order's total once the stock is reserved", async () => {
    const { commands, handle, story } = start();
    expect(await handle(stockReserved)).toMatchObject({ ok: true });
    expect(await story()).toBe("PaymentAuthorised");
    const history = await commands.history({ type: "payment", id: "o1" });
    expect(history.ok && history.value[0]?.events[0]?.data).toEqual({
      orderId: "o1",
      amount: total,
      authorisationId: "authorisation-of-o1",
    });
  });

  it("records what the provider declines, and has nothing to void when the order is then rejected", async () => {
    const { handle, story } = start("decline");
    await handle(stockReserved);
    await handle(rejected);
    expect(await story()).toBe("PaymentDeclined");
  });

  it("voids at the provider what was authorised when the order is cancelled", async () => {
    const { handle, story, live } = start();
    await handle(stockReserved);
    expect(live.size).toBe(1);
    await handle(cancelled);
    expect(await story()).toBe("PaymentAuthorised,PaymentVoided");
    expect(live.size).toBe(0);
  });

  it("does not say that a payment is voided before the provider does", async () => {
    const { handle, story } = start();
    await handle(stockReserved);
    expect(await handle(cancelled, { void: async () => failed })).toEqual(failed);
    expect(await story()).toBe("PaymentAuthorised");
  });

  it("never asks for an authorisation after a void that came first", async () => {
    const { handle, story, live, provider } = start();
    await handle(cancelled);
    const asked: string[] = [];
    await handle(stockReserved, {
      authorise: (orderId, amount) => {
        asked.push(orderId);
        return provider.authorise(orderId, amount);
      },
    });
    expect(asked).toEqual([]);
    expect(live.size).toBe(0);
    expect(await story()).toBe("PaymentVoided");
  });

  it("voids what the provider authorised without our knowing: its answer never came", async () => {
    const { handle, story, live, provider } = start();
    const late = {
      authorise: (...order: Parameters<PaymentProvider["authorise"]>) =>
        provider.authorise(...order).then(() => failed),
    };
    expect(await handle(stockReserved, late)).toEqual(failed);
    expect(live.size).toBe(1);
    await handle(cancelled);
    expect(live.size).toBe(0);
    expect(await story()).toBe("PaymentVoided");
  });

  it("voids what was authorised while the void was being recorded", async () => {
    const { handle, story, live, provider } = start();
    await handle(stockReserved, {
      async authorise(orderId, amount) {
        await handle(cancelled);
        live.add("made-after-the-void");
        void provider.authorise(orderId, amount);
        return ok({ outcome: "authorised", authorisationId: "made-after-the-void" });
      },
    });
    expect(live.size).toBe(0);
    expect(await story()).toBe("PaymentVoided");
  });

  it("tells failures on, so that the event comes again", async () => {
    const { handle } = start();
    const away = err({ code: "unavailable", detail: "away" });
    expect(await handle(stockReserved, { authorise: async () => failed })).toEqual(failed);
    expect(await handle(stockReserved, {}, { execute: async () => away })).toEqual(away);
    expect(await handle(cancelled, {}, { state: async () => away })).toEqual(away);
    expect(await handle(cancelled, { voidOrder: async () => failed })).toEqual(failed);
  });
});

/** What may befall one call, to the log or to the provider. */
type Fate = "works" | "crashes before" | "crashes after";

const untilHandled = async (process: Process, event: RecordedEvent): Promise<void> => {
  const handled = await process.handle(event, commit, signal).catch(() => ({ ok: false }));
  if (!handled.ok) await untilHandled(process, event);
};

/** The same methods, whose calls interleave as the scheduler wants and meet the fates in turn, then work. */
const troubled = <Methods extends object>(
  methods: Methods,
  scheduler: fc.Scheduler,
  fates: Fate[],
): Methods =>
  new Proxy(methods, {
    get:
      (target, name) =>
      async (...given: unknown[]) => {
        await scheduler.schedule(Promise.resolve());
        const fate = fates.shift() ?? "works";
        if (fate === "crashes before") throw new Error("crash");
        const done: unknown = await Reflect.apply(Reflect.get(target, name) as () => unknown, target, given);
        await scheduler.schedule(Promise.resolve());
        if (fate === "crashes after") throw new Error("crash");
        return done;
      },
  });

describe("collect-payment under any interleaving, repetition and crash of its deliveries", () => {
  it("ends every payment in one way, and leaves nothing authorised for an ended order", () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom<Fate>("works", "works", "crashes before", "crashes after"), {
          maxLength: 30,
        }),
        fc.constantFrom("authorise", "decline"),
        fc.record({ collected: fc.integer({ min: 0, max: 3 }), ended: fc.integer({ min: 0, max: 2 }) }),
        async (scheduler, fates, verdict, { collected, ended }) => {
          const { commands, story } = startPayments();
          const { provider, live } = startProvider(verdict);
          const plan = [...fates];
          const process = collectPayment(
            troubled(commands, scheduler, plan),
            troubled(provider, scheduler, plan),
          );
          const deliveries = [
            ...new Array<RecordedEvent>(collected).fill(stockReserved),
            ...new Array<RecordedEvent>(ended).fill(cancelled),
          ];
          await scheduler.waitFor(Promise.all(deliveries.map((event) => untilHandled(process, event))));

          const decided = verdict === "authorise" ? "PaymentAuthorised" : "PaymentDeclined";
          const ends =
            verdict === "authorise"
              ? ["PaymentAuthorised,PaymentVoided", "PaymentVoided"]
              : ["PaymentDeclined", "PaymentVoided"];
          if (ended > 0) expect(ends).toContain(await story());
          else expect(await story()).toBe(collected > 0 ? decided : "");
          expect(live.size).toBe(ended === 0 && collected > 0 && verdict === "authorise" ? 1 : 0);
        },
      ),
      { numRuns: 300 },
    ));
});
