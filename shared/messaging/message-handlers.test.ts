import { expect, test } from "vitest";
import * as z from "zod";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { LIMITS } from "../limits.ts";
import { boundedListener } from "./bounded-listener.ts";
import { decodeAnswer, encodeMessage } from "./message-envelope.ts";
import { answer } from "./message-handlers.ts";
import type { Message } from "./message-transport.ts";
import { messagesOf, request } from "./message-types.ts";

const { quote } = messagesOf("catalog", {
  quote: request("quote", { request: z.object({}), answer: z.object({}), timeoutMs: 1_000 }),
});

const asking = (rest: Partial<Message>): Message => ({
  address: quote.address,
  id: "m-1",
  body: encodeMessage(quote.address, { id: "m-1", source: "orders", time: "", version: "1.0", data: {} }),
  trace: {},
  metadata: {},
  ...rest,
});

const started = () => {
  const time = virtualTime();
  let begun = 0;
  const never = answer(quote, () => {
    begun++;
    return new Promise<never>(() => {});
  });
  const listener = never({ service: "catalog", system: "in_memory", ...time });
  return { time, listener, begun: () => begun };
};

test("a handler holds its place no longer than is allowed, however long its requester says that it waits", async () => {
  const { time, listener } = started();
  const answered = listener.receive(asking({ deadlineMs: 1e8 }));
  await time.pass(LIMITS.messageHandleMs);
  expect(decodeAnswer(quote.address, (await answered) ?? "")).toMatchObject({
    error: { code: "unavailable" },
  });
});

test("what is too large for a message is refused before it is read", async () => {
  const { listener, begun } = started();
  const answered = await listener.receive(asking({ body: " ".repeat(LIMITS.messageBytes + 1) }));
  expect(decodeAnswer(quote.address, answered ?? "")).toMatchObject({ error: { code: "body_too_large" } });
  expect(begun()).toBe(0);
});

test("a request whose time is over to the millisecond is not begun", async () => {
  const { time, listener, begun } = started();
  expect(await boundedListener(listener, time.clock).take(asking({ deadlineMs: 0 }))).toBeUndefined();
  expect(begun()).toBe(0);
});

test("a message of another type, or none at all, is no message of this address, nor an answer", async () => {
  const { listener, begun } = started();
  const envelope = { id: "m-1", source: "orders", time: "", version: "1.0", data: {} };
  for (const body of [encodeMessage("catalog.other.v1", envelope), "{}", "no JSON"]) {
    const answered = await listener.receive(asking({ body }));
    expect(decodeAnswer(quote.address, answered ?? "")).toMatchObject({
      error: { code: "malformed_request" },
    });
    expect(decodeAnswer(quote.address, body)).toMatchObject({ error: { code: "answer_not_valid" } });
  }
  expect(begun()).toBe(0);
});
