import { describe, expect, test } from "vitest";
import * as z from "zod";
import { testActorContext } from "#test/fake/actor-context.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { memoryMessageServer } from "./memory-message-server.ts";
import { answer, hear } from "./message-handlers.ts";
import { messagesOf, request, topic } from "./message-types.ts";
import { messaging } from "./messaging.ts";
import { type MessengerMethods, messengerActor } from "./messenger-actor.ts";
import { messengerTransport } from "./messenger-transport.ts";

const price = z.object({ sku: z.string() });
const CATALOG = messagesOf("catalog", {
  changed: topic("changed", price),
  quote: request("quote", { request: price, answer: price, timeoutMs: 1_000 }),
});
const tea = { sku: "tea" };

/** Actors of one service in virtual time, with alarms that ring. */
const started = (names: readonly string[]) => {
  const first = testActorContext({ name: names[0] ?? "0" });
  const { clock, sleep } = first.time;
  const server = memoryMessageServer({ clock, sleep });
  const heard: string[] = [];
  const actors = names.map((name) => {
    const context = testActorContext({ name, time: first.time });
    const { methods, alarm } = messengerActor({
      context,
      service: "catalog",
      transport: server.connect(),
      handlers: [
        answer(CATALOG.quote, async (asked) => ok(asked)),
        hear(CATALOG.changed, async ({ sku }) => {
          heard.push(`${name} ${sku}`);
          return ok(undefined);
        }),
      ],
      clock,
      random: () => 0.5,
      sleep: context.sleep,
    });
    context.onAlarm(alarm);
    return { name, context, methods };
  });
  const sender = (named: (name: string) => MessengerMethods, random = () => 0) =>
    messaging({
      transport: messengerTransport({
        messengers: { named },
        count: names.length,
        system: "in_memory",
        random,
        sleep,
      }),
      service: "orders",
      clock,
      newId: () => `${Math.random()}`,
    });
  const named = (name: string) => actors.find((actor) => actor.name === name)?.methods as MessengerMethods;
  return { time: first.time, actors, heard, sender, named };
};

describe("a service's messengers", () => {
  test("listen once they are woken, all to requests and the first alone to what has no group", async () => {
    const { time, actors, heard, sender, named } = started(["0", "1"]);
    expect(await actors[0]?.methods.wake({})).toMatchObject({ listening: false });
    await actors[1]?.methods.wake({});
    await time.pass(1);
    expect(await actors[0]?.methods.wake({})).toMatchObject({ listening: true });
    const orders = sender(named);
    await orders.publish(CATALOG.changed, tea);
    expect(await orders.ask(CATALOG.quote, tea)).toEqual(ok(tea));
    expect(await orders.ask(CATALOG.quote, tea)).toEqual(ok(tea));
    expect(heard).toEqual(["0 tea"]);
    const answered = await Promise.all(actors.map(({ methods }) => methods.wake({})));
    expect(answered.map(({ listeners }) => listeners[0]?.handled)).toEqual([1, 1]);
  });

  test("go on listening from alarm to alarm, and say after each message that there was work", async () => {
    const { time, actors, heard, sender, named } = started(["0"]);
    const [actor] = actors;
    await actor?.methods.wake({});
    await time.pass(3 * LIMITS.pumpMs);
    expect(await actor?.methods.wake({})).toMatchObject({ listening: true });
    const before = actor?.context.timesWorked() ?? 0;
    await sender(named).publish(CATALOG.changed, tea);
    await time.settle();
    expect(heard).toEqual(["0 tea"]);
    expect(actor?.context.timesWorked()).toBe(before + 1);
  });

  test("are sent through by chance, so that each has its share", async () => {
    const { sender } = started(["0", "1", "2"]);
    const asked: string[] = [];
    const shares = [0, 0.5, 0.99];
    const orders = sender(
      (name) =>
        ({
          publish: async () => {
            asked.push(name);
            return ok(undefined);
          },
        }) as unknown as MessengerMethods,
      () => shares.shift() ?? 0,
    );
    for (let count = 0; count < 3; count++) await orders.publish(CATALOG.changed, tea);
    expect(asked).toEqual(["0", "1", "2"]);
  });

  test("that cannot be reached make both kinds of sending unavailable", async () => {
    const { sender } = started(["0"]);
    const lost = () => Promise.reject(new ActorUnavailable("ended"));
    const orders = sender(() => ({ publish: lost, request: lost }) as unknown as MessengerMethods);
    for (const refused of [await orders.publish(CATALOG.changed, tea), await orders.ask(CATALOG.quote, tea)])
      expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
  });

  test("that do not answer hold nobody up beyond the request's time", async () => {
    const { time, sender } = started(["0"]);
    const never = () => new Promise<never>(() => {});
    const orders = sender(() => ({ publish: never, request: never }) as unknown as MessengerMethods);
    const asked = orders.ask(CATALOG.quote, tea);
    await time.pass(1_000);
    expect(await asked).toMatchObject({ ok: false, error: { code: "unavailable" } });
  });
});

describe("a request that waited for its turn longer than its requester", () => {
  test("is not handled", async () => {
    const { time } = testActorContext();
    const server = memoryMessageServer(time);
    const parts = { service: "catalog", system: "in_memory", ...time };
    let begun = 0;
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    const listener = {
      address: CATALOG.quote.address,
      async receive() {
        begun++;
        await held;
        return undefined;
      },
    };
    const listening = server.connect().listen([listener]);
    void listening.keep(new AbortController().signal, () => {});
    const orders = messaging({ transport: server.connect(), newId: () => "m", ...parts });
    const asked = Array.from({ length: LIMITS.messageConcurrency + 1 }, () => orders.ask(CATALOG.quote, tea));
    await time.pass(1_001);
    await Promise.all(asked);
    goOn();
    await time.settle();
    expect(begun).toBe(LIMITS.messageConcurrency);
    expect(listening.states()).toMatchObject([{ pending: 0 }]);
  });
});
