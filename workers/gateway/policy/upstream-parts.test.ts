import { expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { timerOf } from "#shared/resilience/deadline-in-virtual-time.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { policyOf } from "./policy.ts";
import type { Target } from "./target.ts";
import { upstreamMemory } from "./upstream-parts.ts";

const target = (id: string): Target => ({
  id,
  version: "1.0.0",
  weight: 1,
  upstream: { fetch: async () => new Response() },
});

test("a request that the platform dropped weighs on its instance for no longer than a request may take", async () => {
  const time = virtualTime();
  const memory = upstreamMemory({ ...time, random: seededRandom(1), timer: timerOf(time) });
  memory.under(policyOf({ deadlineMs: 90_000 }), undefined);
  const { balancer } = memory.under(policyOf({ deadlineMs: 1_000 }), undefined);
  const targets = [target("a"), target("b")];
  balancer.pick(targets);
  balancer.started({ id: "a", weight: 1 });
  const chosen = () => new Set(Array.from({ length: 50 }, () => balancer.pick(targets)?.id));
  await time.pass(1_500);
  expect(chosen()).toEqual(new Set(["b"]));
  await time.pass(1_000 + LIMITS.bulkheadSearchMs);
  expect(chosen()).toEqual(new Set(["a", "b"]));
});
