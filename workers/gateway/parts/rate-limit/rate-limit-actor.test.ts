import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { fakeActors, fakeTimer } from "./fake-rate-limits.ts";
import { rateLimit } from "./rate-limit.ts";

const START_MS = 1_700_000_000_000;

const given = (settings: Parameters<typeof rateLimit>[0], isolates = 3) => {
  const at = { ms: START_MS };
  const clock = () => at.ms;
  const actors = fakeActors(clock);
  const handlers = Array.from({ length: isolates }, () =>
    rateLimit(settings, {
      route: "shop",
      clock,
      timer: fakeTimer().timer,
      locationLimiter: () => undefined,
      exactLimiters: actors,
    })(async () => new Response("ok")),
  );
  const send = (isolate: number, clientAddress = "192.0.2.1") =>
    answered(
      (exchange) => handlers[isolate]?.(exchange) ?? Promise.reject(new Error("no such isolate")),
      fakeExchange("/", {}, { clientAddress }),
    );
  return { at, actors, send };
};

const anySettings = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  periodSeconds: fc.constantFrom(1, 2, 10, 60, 3_600),
  burst: fc.integer({ min: 1, max: 20 }),
});

const anyMoves = fc.array(
  fc.record({
    stepMs: fc.oneof(fc.nat({ max: 500 }), fc.integer({ min: -60_000, max: 60_000 })),
    /** Who sends at once. */
    isolates: fc.array(fc.nat({ max: 2 }), { maxLength: 6 }),
    restart: fc.boolean(),
  }),
  { maxLength: 25 },
);

test("several isolates together are admitted no more than burst + limit × time, in any order, by any clock, and through restarts", async () => {
  await fc.assert(
    fc.asyncProperty(anySettings, anyMoves, async (settings, moves) => {
      const { at, actors, send } = given({ ...settings, tier: "exact" });
      const survives = (settings.burst / settings.limit) * settings.periodSeconds >= 10;
      let passedMs = 0;
      const admittedAt: number[] = [];
      for (const { stepMs, isolates, restart } of moves) {
        at.ms += stepMs;
        passedMs += Math.max(0, stepMs);
        if (restart && survives) actors.restart();
        await actors.ring();
        const answers = await Promise.all(isolates.map((isolate) => send(isolate)));
        for (const { status } of answers) if (status === 200) admittedAt.push(passedMs);
      }
      const perMs = settings.limit / (settings.periodSeconds * 1_000);
      for (const [index, from] of admittedAt.entries()) {
        for (const [further, to] of admittedAt.slice(index).entries()) {
          expect(further + 1).toBeLessThanOrEqual(settings.burst + perMs * (to - from) + 1e-6);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("what one isolate used up another one is refused, and each is told what is left for all", async () => {
  const { send } = given({ limit: 4, periodSeconds: 60, tier: "exact" });
  const told: (string | null)[] = [];
  for (const isolate of [0, 1, 2, 0, 1]) told.push((await send(isolate)).headers.get("ratelimit"));
  expect(told).toEqual([3, 2, 1, 0, 0].map((left) => `"client-60s";r=${left};t=15`));
  expect((await send(2)).status).toBe(429);
});

test("who was refused is refused in the same isolate without asking until it may come again", async () => {
  const { at, actors, send } = given({ limit: 1, periodSeconds: 10, tier: "exact" });
  await send(0);
  expect((await send(0)).status).toBe(429);
  const calls = actors.calls.length;
  at.ms += 9_999;
  const refused = await send(0);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(actors.calls).toHaveLength(calls);
  at.ms += 1;
  expect((await send(0)).status).toBe(200);
});

describe("what an Actor stores", () => {
  test("is nothing while every key is rested within seconds", async () => {
    const { actors, send } = given({ limit: 10, periodSeconds: 1, tier: "exact" });
    for (let request = 0; request < 5; request++) await send(0);
    expect(actors.rows()).toBe(0);
  });

  test("is removed once its key is rested, and not before", async () => {
    const { at, actors, send } = given({ limit: 2, periodSeconds: 120, tier: "exact" });
    await send(0);
    at.ms += 59_999;
    await actors.ring();
    expect(actors.rows()).toBe(1);
    at.ms += 60_001;
    await actors.ring();
    expect(actors.rows()).toBe(0);
  });

  test("outlives a restart, so that who used everything up waits all the same", async () => {
    const { at, actors, send } = given({ limit: 3, periodSeconds: 86_400, tier: "exact" });
    for (let request = 0; request < 3; request++) expect((await send(request)).status).toBe(200);
    actors.restart();
    at.ms += 1_000;
    expect((await send(0)).status).toBe(429);
  });
});

test("limits that count by the same are asked in one call, of which a refusal spends nothing", async () => {
  const { at, actors, send } = given([
    { limit: 2, periodSeconds: 1, tier: "exact" },
    { limit: 3, periodSeconds: 3_600, tier: "exact" },
  ]);
  const statuses = async () => [await send(0), await send(1), await send(2)].map(({ status }) => status);
  expect(await statuses()).toEqual([200, 200, 429]);
  expect(actors.calls).toHaveLength(3);
  at.ms += 1_000;
  expect(await statuses()).toEqual([200, 429, 429]);
});

test("callers are spread over the shards, each always to the same", async () => {
  const { actors, send } = given({ limit: 100, tier: "exact", shards: 4 });
  for (let round = 0; round < 2; round++)
    for (let client = 0; client < 40; client++) await send(client % 3, `192.0.2.${client}`);
  expect(new Set(actors.calls)).toEqual(new Set([0, 1, 2, 3].map((shard) => `shop/client/${shard}`)));
  expect(actors.calls.slice(0, 40)).toEqual(actors.calls.slice(40));
});
