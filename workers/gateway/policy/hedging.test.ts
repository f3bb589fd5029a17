/** Clients under whose load one of four instances begins to take three seconds: what hedges keep from them, in virtual time. */

import { expect, test } from "vitest";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { gatewayInVirtualTime } from "./gateway-in-virtual-time.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

const CLIENTS = 12;
const PAUSE_MS = 10;
const SLOW_MS = 3_000;

interface Load {
  readonly policy: WrittenPolicy;
  readonly seed: number;
  /** Of a healthy instance, in the gateway's clock. */
  readonly latencyMs: (random: () => number) => number;
  readonly forMs: number;
  readonly slowFromMs: number;
}

/** @returns how long each request took, in the order of their answers, and how many attempts there were */
const underLoad = async ({ policy, seed, latencyMs, forMs, slowFromMs }: Load) => {
  const random = seededRandom(seed);
  const time = virtualTime();
  const { instances, begin, asked } = gatewayInVirtualTime(time, policy, random);
  const start = time.clock();
  const behaviour = (id: string) => async (request: Request) => {
    const slow = id === "a" && time.clock() - start >= slowFromMs;
    await Promise.race([time.sleep(slow ? SLOW_MS : latencyMs(random)), ended(request.signal)]);
    return new Response();
  };
  instances(Object.fromEntries(["a", "b", "c", "d"].map((id) => [id, behaviour(id)])));
  const tookMs: number[] = [];
  const client = async () => {
    while (time.clock() - start < forMs) {
      const began = time.clock();
      await (await begin()).text();
      tookMs.push(time.clock() - began);
      await time.sleep(PAUSE_MS);
    }
  };
  let done = false;
  void Promise.all(Array.from({ length: CLIENTS }, client)).then(() => {
    done = true;
  });
  await time.until(() => done);
  return { tookMs, attempts: asked.length };
};

const ended = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );

const upTo = (ms: number) => (random: () => number) => Math.floor(random() * (ms + 1));

test.each([1, 2, 5, 20])(
  "answers within %d ms leave the budget to those that are slow indeed: nobody waits for a slow instance",
  async (ms) => {
    for (const seed of [1, 2, 3]) {
      const load = { policy: { hedge: {} }, seed, latencyMs: upTo(ms), forMs: 2_000, slowFromMs: 1_000 };
      const { tookMs, attempts } = await underLoad(load);
      expect(Math.max(...tookMs)).toBeLessThan(200);
      expect(attempts / tookMs.length).toBeLessThan(1.15);
    }
  },
);

test("the pause before a hedge does not grow with each that a slow instance costs", async () => {
  const budget = { ratio: 1, perSecond: 1, cap: 1_000 };
  const policy: WrittenPolicy = {
    retry: { attempts: 1, budget },
    breaker: false,
    outliers: false,
    balance: "weight",
    hedge: {},
  };
  const load = { policy, seed: 1, latencyMs: upTo(5), forMs: 10_000, slowFromMs: 1_000 };
  const { tookMs } = await underLoad(load);
  expect(Math.max(...tookMs.slice(-1_000))).toBeLessThan(20);
});
