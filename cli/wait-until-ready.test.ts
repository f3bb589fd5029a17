/** Holds how long a start waits for the system, and what it says when that was not enough. */
import { expect, test } from "vitest";
import { waitUntilReady } from "./wait-until-ready.ts";

const answering = (...answers: (() => Response)[]) => {
  let now = 0;
  let asked = 0;
  return {
    waiting: {
      boundMs: 1_000,
      clock: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
      fetch: async () => {
        const answer = answers[Math.min(asked, answers.length - 1)];
        asked += 1;
        if (!answer) throw new Error("nothing to answer");
        return answer();
      },
    },
    asked: () => asked,
  };
};

const refused = (): Response => {
  throw new Error("connection refused");
};

test("it asks again until the answer is 200", async () => {
  const system = answering(
    refused,
    () => new Response("starting", { status: 503 }),
    () => new Response("ready"),
  );
  await waitUntilReady("http://gateway", system.waiting);
  expect(system.asked()).toBe(3);
});

test("what is ready without a check that is expected is not ready yet", async () => {
  const of = (...names: string[]) => Response.json({ checks: names.map((name) => ({ name, ready: true })) });
  const system = answering(
    () => of("catalog"),
    () => of("catalog", "orders"),
  );
  const expected = ["orders", "catalog"];
  await waitUntilReady("http://gateway", { ...system.waiting, expected });
  expect(system.asked()).toBe(2);
  const partly = answering(() => of("catalog"));
  await expect(waitUntilReady("http://gateway", { ...partly.waiting, expected })).rejects.toThrow(
    "without orders",
  );
});

test("what was not ready is in the message", async () => {
  const system = answering(() => new Response('{"orders":"no NATS"}', { status: 503 }));
  await expect(waitUntilReady("http://gateway", system.waiting)).rejects.toThrow(
    'the system did not become ready in 1 s; "http://gateway/readyz" last said: 503 {"orders":"no NATS"}',
  );
});

test("a signal ends the waiting", async () => {
  const system = answering(refused);
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(waitUntilReady("http://gateway", { ...system.waiting, signal })).rejects.toThrow("stopped");
});
