/** The suite of the messaging port: what any transport of messages must do, checked through what services use of it. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { causedBy } from "#shared/events/commit-metadata.ts";
import { LIMITS } from "#shared/limits.ts";
import { answer, hear, type MessageAbout, type MessageHandler } from "#shared/messaging/message-handlers.ts";
import type { Listening, MessageTransport } from "#shared/messaging/message-transport.ts";
import { messagesOf, request, topic } from "#shared/messaging/message-types.ts";
import { type Messaging, messaging } from "#shared/messaging/messaging.ts";
import { err, ok } from "#shared/result.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";

export interface MessagingHost {
  /** Of a process of its own, on the server that all of them share. */
  connect(): Promise<MessageTransport>;
}

const parts = { service: "catalog", system: "test", clock: systemClock, sleep };
const price = z.object({ sku: z.string(), amount: z.int() });
let declared = 0;

/** Each test has addresses of its own. */
const declare = (timeoutMs = 2_000) =>
  messagesOf(`catalog${++declared}`, {
    priceChanged: topic("price.changed", price),
    quote: request("quote", { request: z.object({ sku: z.string() }), answer: price, timeoutMs }),
  });

let ids = 0;
export const messagingOver = (
  transport: Pick<MessageTransport, "system" | "publish" | "request">,
): Messaging => messaging({ transport, service: "orders", clock: systemClock, newId: () => `m-${++ids}` });

const spans = recordSpans();
/** Those of the test that runs. */
const ended: ReadableSpan[] = [];
const finished = (): ReadableSpan[] => {
  ended.push(...spans.take());
  return ended;
};

export const testMessaging = (name: string, host: MessagingHost): void => {
  describe(`messaging ${name}`, () => {
    const open: { listening: Listening; stop: AbortController }[] = [];

    /** In a process of its own; resolves when it hears. */
    const listen = async (...handlers: MessageHandler[]): Promise<Listening> => {
      const listening = (await host.connect()).listen(handlers.map((handler) => handler(parts)));
      const stop = new AbortController();
      open.push({ listening, stop });
      await new Promise<void>((resolve, reject) => {
        listening.keep(stop.signal, resolve).catch(reject);
      });
      return listening;
    };
    afterEach(() => {
      for (const { listening, stop } of open.splice(0)) {
        stop.abort();
        listening.close();
      }
      finished().length = 0;
    });

    const sender = async () => messagingOver(await host.connect());
    const tea = { sku: "tea", amount: 5 };

    test("a topic's message reaches all that listen, and one of each group", async () => {
      const { priceChanged } = declare();
      const heard: string[] = [];
      const as = (who: string, group?: string) =>
        hear(
          priceChanged,
          async ({ sku }) => {
            heard.push(`${who} ${sku}`);
            return ok(undefined);
          },
          group === undefined ? {} : { group },
        );
      for (const handler of [as("a"), as("b"), as("group", "g"), as("group", "g")]) await listen(handler);
      expect(await (await sender()).publish(priceChanged, tea)).toEqual(ok(undefined));
      await expect.poll(() => [...heard].sort()).toEqual(["a tea", "b tea", "group tea"]);
    });

    test("a topic that nobody listens to is published all the same", async () => {
      expect(await (await sender()).publish(declare().priceChanged, tea)).toEqual(ok(undefined));
    });

    test("one of those who answer answers a request", async () => {
      const { quote } = declare();
      const asked: string[] = [];
      const as = (who: string) =>
        answer(quote, async ({ sku }) => {
          asked.push(who);
          return ok({ sku, amount: 5 });
        });
      await listen(as("a"));
      await listen(as("b"));
      expect(await (await sender()).ask(quote, { sku: "tea" })).toEqual(ok(tea));
      expect(asked).toHaveLength(1);
    });

    test("a request that nobody is there to answer is unavailable at once", async () => {
      const { quote } = declare(20_000);
      const orders = await sender();
      const before = performance.now();
      const answered = await orders.ask(quote, { sku: "tea" });
      expect(answered).toMatchObject({ ok: false, error: { code: "unavailable" } });
      expect(performance.now() - before).toBeLessThan(5_000);
    });

    test("a request that nobody answers in time is unavailable then, and its handler is told so", async () => {
      const { quote } = declare(60);
      const aborted = Promise.withResolvers<void>();
      await listen(
        answer(quote, (_, { signal }) => {
          signal.addEventListener("abort", () => aborted.resolve());
          return new Promise<never>(() => {});
        }),
      );
      const answered = await (await sender()).ask(quote, { sku: "tea" });
      expect(answered).toMatchObject({ ok: false, error: { code: "unavailable" } });
      await aborted.promise;
    });

    test("what the answerer refuses comes to the requester as it is", async () => {
      const { quote } = declare();
      await listen(answer(quote, async ({ sku }) => err({ code: "not_found", detail: `No "${sku}"` })));
      const answered = await (await sender()).ask(quote, { sku: "tea" });
      expect(answered).toEqual(err({ code: "not_found", detail: 'No "tea"' }));
    });

    test("what a handler throws comes to the requester as internal_error, and nothing of it", async () => {
      const { quote } = declare();
      await listen(answer(quote, () => Promise.reject(new Error("s3cret"))));
      const answered = await (await sender()).ask(quote, { sku: "tea" });
      expect(answered).toMatchObject({ ok: false, error: { code: "internal_error" } });
      expect(JSON.stringify(answered)).not.toContain("s3cret");
    });

    test("a sender's mistake is thrown, and nothing is sent", async () => {
      const { quote, priceChanged } = declare();
      const heard: unknown[] = [];
      const note = async (data: unknown) => {
        heard.push(data);
        return ok(tea);
      };
      await listen(hear(priceChanged, note), answer(quote, note));
      const orders = await sender();
      await expect(orders.publish(priceChanged, { sku: "tea", amount: 1.5 })).rejects.toThrow(RangeError);
      await expect(orders.ask(quote, { sku: 7 } as never)).rejects.toThrow('at "sku"');
      await expect(orders.publish(priceChanged, tea, { metadata: { tenant: "a\r\nb" } })).rejects.toThrow(
        "Cannot write",
      );
      // What follows on the same connection comes after whatever was sent.
      await orders.publish(priceChanged, tea);
      await expect.poll(() => heard).toEqual([tea]);
    });

    test("what a receiver's declaration does not take is refused, and no handler sees it", async () => {
      const theirs = declare();
      const quote = { ...theirs.quote, request: z.object({ name: z.string() }) };
      const handled: unknown[] = [];
      const handle = async (data: unknown) => {
        handled.push(data);
        return ok(tea);
      };
      await listen(
        answer(theirs.quote, handle),
        hear({ ...theirs.priceChanged, data: z.object({ name: z.string() }) }, handle),
      );
      const orders = await sender();
      await orders.publish(theirs.priceChanged, tea);
      const answered = await orders.ask(quote, { name: "tea" });
      expect(answered).toMatchObject({ ok: false, error: { code: "invalid_body" } });
      const refusals = () =>
        finished().filter(({ attributes }) => attributes["error.type"] === "invalid_body");
      // The requester's, the answerer's, and that of who hears the topic.
      await expect.poll(() => refusals().length).toBe(3);
      expect(handled).toEqual([]);
    });

    test("an answer that is not as declared is answer_not_valid, whoever finds it", async () => {
      const { quote } = declare();
      await listen(answer(quote, async () => ok({ sku: "tea", amount: 1.5 })));
      const orders = await sender();
      const atTheAnswerer = await orders.ask(quote, { sku: "tea" });
      expect(atTheAnswerer).toMatchObject({ ok: false, error: { code: "answer_not_valid" } });
      const other = declare();
      await listen(answer(other.quote, async () => ok(tea)));
      const stricter = { ...other.quote, answer: z.object({ amount: z.string() }) };
      const atTheRequester = await orders.ask(stricter, { sku: "tea" });
      expect(atTheRequester).toMatchObject({ ok: false, error: { code: "answer_not_valid" } });
    });

    test("fields that a newer minor version added are let pass", async () => {
      const { priceChanged } = declare();
      const heard: unknown[] = [];
      await listen(
        hear(priceChanged, async (data) => {
          heard.push(data);
          return ok(undefined);
        }),
      );
      const newer = { ...priceChanged, version: "1.1", data: price.extend({ reason: z.string() }) };
      await (await sender()).publish(newer, { ...tea, reason: "summer" });
      await expect.poll(() => heard).toEqual([tea]);
    });

    test("what is too large is refused on both ways, and what just fits goes through", async () => {
      const { quote } = declare();
      const text = z.object({ text: z.string() });
      const echo = { ...quote, request: text, answer: text };
      await listen(answer(echo, async ({ text }) => ok({ text: text.repeat(2) })));
      const orders = await sender();
      const tooLarge = await orders.ask(echo, { text: "ä".repeat(LIMITS.messageBytes / 2) });
      expect(tooLarge).toMatchObject({ ok: false, error: { code: "body_too_large" } });
      const tooMuch = await orders.ask(echo, { text: "x".repeat(LIMITS.messageBytes * 0.6) });
      expect(tooMuch).toMatchObject({ ok: false, error: { code: "answer_not_valid" } });
      const half = "x".repeat(LIMITS.messageBytes * 0.49);
      expect(await orders.ask(echo, { text: half })).toEqual(ok({ text: half.repeat(2) }));
    });

    test("metadata, id, sender and what remains of the time come to the handler", async () => {
      const { quote } = declare(5_000);
      let about: MessageAbout | undefined;
      let remainingMs = 0;
      await listen(
        answer(quote, async (_, told) => {
          about = told;
          remainingMs = told.remainingMs();
          return ok(tea);
        }),
      );
      const metadata = { causationId: "e-1", correlationId: "c-1", actor: "user ann", tenant: "acme" };
      await (await sender()).ask(quote, { sku: "tea" }, { metadata, remainingMs: 1_000 });
      expect(about).toMatchObject({ metadata, source: "orders", id: expect.stringMatching(/^m-/) });
      expect(remainingMs).toBeGreaterThan(0);
      expect(remainingMs).toBeLessThanOrEqual(1_000);
      expect(about && causedBy(about, about)).toEqual({
        causationId: about?.id,
        correlationId: "c-1",
        tenant: "acme",
      });
    });

    test("a request without time left is not sent", async () => {
      const { quote } = declare();
      const answered = await (await sender()).ask(quote, { sku: "tea" }, { remainingMs: 0 });
      expect(answered).toMatchObject({ ok: false, error: { code: "unavailable" } });
    });

    test("one trace goes from who sends through who receives to what that does", async () => {
      const { quote, priceChanged } = declare();
      const work = () => inSpan("work", {}, async () => ok(tea));
      await listen(answer(quote, work), hear(priceChanged, work));
      const orders = await sender();
      await inSpan("a client's request", {}, async () => {
        await orders.ask(quote, { sku: "tea" });
        await orders.publish(priceChanged, tea);
      });
      await expect.poll(() => finished()).toHaveLength(7);
      const all = finished();
      expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
      const named = (start: string) => all.find((span) => span.name.startsWith(start));
      expect(named(`process ${quote.address}`)?.parentSpanContext?.spanId).toBe(
        named(`request ${quote.address}`)?.spanContext().spanId,
      );
      expect(named(`process ${priceChanged.address}`)?.parentSpanContext?.spanId).toBe(
        named(`publish ${priceChanged.address}`)?.spanContext().spanId,
      );
    });

    test("a slow listener takes a bounded number, says how many it did not, and refuses requests", async () => {
      const { priceChanged, quote } = declare(20_000);
      const { resolve: goOn, promise: held } = Promise.withResolvers<void>();
      let together = 0;
      let most = 0;
      const slow = async () => {
        most = Math.max(most, ++together);
        await held;
        together--;
        return ok(tea);
      };
      const listening = await listen(hear(priceChanged, slow), answer(quote, slow));
      const orders = await sender();
      const more = LIMITS.messagesPending + 5;
      for (let count = 0; count < more; count++) await orders.publish(priceChanged, tea);
      await expect.poll(() => listening.states()[0]?.dropped).toBe(5);
      expect(listening.states()[0]).toMatchObject({ pending: LIMITS.messagesPending, handled: 0 });

      const asked = Array.from({ length: LIMITS.messageRequestsPending }, () =>
        orders.ask(quote, { sku: "tea" }),
      );
      await expect.poll(() => listening.states()[1]?.pending).toBe(LIMITS.messagesPending);
      // From this process no more wait for answers; from another, the answerer has no room.
      for (const requester of [orders, await sender()]) {
        const refused = await requester.ask(quote, { sku: "tea" });
        expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
        expect(refused.ok || refused.error.detail).toContain("more is waiting");
      }
      expect(most).toBe(2 * LIMITS.messageConcurrency);
      goOn();
      expect(await Promise.all(asked)).toEqual(asked.map(() => ok(tea)));
      await expect.poll(() => listening.states()[0]).toMatchObject({ pending: 0 });
    });

    test("who has closed hears nothing more", async () => {
      const { quote, priceChanged } = declare();
      const heard: unknown[] = [];
      const note = async (data: unknown) => {
        heard.push(data);
        return ok(tea);
      };
      const listening = await listen(hear(priceChanged, note), answer(quote, note));
      const orders = await sender();
      expect((await orders.ask(quote, { sku: "tea" })).ok).toBe(true);
      listening.close();
      const gone = async () => {
        const answered = await orders.ask(quote, { sku: "tea" });
        return answered.ok ? "answered" : answered.error.code;
      };
      await expect.poll(gone).toBe("unavailable");
      const before = heard.length;
      await orders.publish(priceChanged, tea);
      await listen(hear(priceChanged, note));
      await orders.publish(priceChanged, { sku: "rye", amount: 1 });
      await expect.poll(() => heard.slice(before)).toEqual([{ sku: "rye", amount: 1 }]);
    });
  });
};
