import { expect, test } from "vitest";
import * as z from "zod";
import { ok } from "../result.ts";
import { messagesOf, request } from "./message-types.ts";
import { messaging } from "./messaging.ts";

test("a request without time left reaches no transport", async () => {
  const { quote } = messagesOf("catalog", {
    quote: request("quote", { request: z.object({}), answer: z.object({}), timeoutMs: 1_000 }),
  });
  const asked: number[] = [];
  const transport = {
    system: "in_memory",
    publish: async () => ok(undefined),
    async request(_: unknown, timeoutMs: number) {
      asked.push(timeoutMs);
      return ok("");
    },
  };
  const orders = messaging({ transport, service: "orders", clock: () => 0, newId: () => "m-1" });
  for (const remainingMs of [0, 0.9, -5]) {
    const answered = await orders.ask(quote, {}, { remainingMs });
    expect(answered).toMatchObject({ error: { code: "unavailable" } });
  }
  await orders.ask(quote, {}, { remainingMs: 1 });
  expect(asked).toEqual([1]);
});
