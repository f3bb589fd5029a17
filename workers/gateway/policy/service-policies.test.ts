import { expect, test } from "vitest";
import type { BreakerTransition } from "#shared/resilience/breaker.ts";
import { GATEWAY_CONFIG } from "../contract.ts";
import { fakePolicies } from "./fake-policies.ts";
import { servicePolicies } from "./service-policies.ts";

test("nothing is worked out twice while the configuration is the same", () => {
  const { policies, configure } = fakePolicies({ deadlineMs: 5 }, {}, () => true);
  const first = policies.of("s", 1);
  expect(policies.of("s", 1)).toBe(first);
  expect(policies.of("s", 2)).not.toBe(first);
  configure({ deadlineMs: 6 }, { t: { deadlineMs: 7 } });
  expect(policies.of("s", 1).policy.deadlineMs).toBe(6);
  expect(policies.of("t", 1).policy.deadlineMs).toBe(7);
});

test("a change of one part leaves all others what they remember", () => {
  const all = { hedge: {}, bulkhead: {}, throttle: {} };
  const { policies, configure } = fakePolicies(all);
  const before = policies.of("s", 1);
  configure({ ...all, deadlineMs: 7, retry: { attempts: 5 }, breaker: { openMs: 1 } });
  const after = policies.of("s", 1);
  for (const part of ["budget", "balancer", "outliers", "bulkhead", "throttle", "quantile"] as const) {
    expect(after[part]).toBe(before[part]);
  }
  expect(after.breakerOf("a")).toBe(before.breakerOf("a"));
  configure({ ...all, outliers: { gapMin: 0.2 }, throttle: false });
  expect(policies.of("s", 1).outliers).not.toBe(before.outliers);
  expect(policies.of("s", 1).throttle).toBeUndefined();
  configure(all);
  expect(policies.of("s", 1).throttle).toBe(before.throttle);
});

test("a service named as what objects have of themselves is none that is configured", () => {
  const { policies } = fakePolicies({ deadlineMs: 5 });
  for (const name of ["constructor", "__proto__", "toString"])
    expect(policies.of(name, 1).policy.deadlineMs).toBe(5);
});

test("services that have left are forgotten, those that stay are not", () => {
  const { policies } = fakePolicies({}, {}, (service) => service === "stays");
  const stays = policies.of("stays", 1).breakerOf("a");
  for (let n = 0; n < 5_000; n++) policies.of(`gone${n}`, 1);
  expect(policies.size()).toBeLessThan(200);
  expect(policies.of("stays", 1).breakerOf("a")).toBe(stays);
});

test("breakers of instances that have left are forgotten", () => {
  const parts = fakePolicies().policies.of("s", 1);
  const first = parts.breakerOf("i0");
  for (let n = 1; n < 200; n++) parts.breakerOf(`i${n}`);
  expect(parts.breakerOf("i0")).toBe(first);
  for (let n = 200; n < 600; n++) parts.breakerOf(`i${n}`);
  expect(parts.breakerOf("i0")).not.toBe(first);
});

test("a route that writes something about sending remembers by itself, any other one shares the service's", () => {
  const { policies } = fakePolicies({ deadlineMs: 5 }, {}, () => true);
  const shared = policies.of("s", 1);
  expect(policies.of("s", 1, { route: "r", policy: { cors: {} } })).toBe(shared);
  const own = policies.of("s", 1, { route: "r", policy: { retry: false } });
  expect(own.policy).toMatchObject({ deadlineMs: 5, retry: false });
  expect(own.breakerOf("a")).not.toBe(shared.breakerOf("a"));
});

test("of breakers that move others hear, by the name of their instance, and a route's own are its own", () => {
  const moved: [object, BreakerTransition][] = [];
  const config = GATEWAY_CONFIG.parse({
    policy: { breaker: { window: { kind: "count", calls: 1 }, minimumCalls: 1 } },
  });
  const policies = servicePolicies({
    ...fakePolicies().tools,
    config: () => config,
    isRegistered: (service) => service === "s",
    breakerMoved: (...news) => void moved.push(news),
  });
  const fail = (service: string, own?: { route: string; policy: { retry: false } }) => {
    const breaker = policies.of(service, 1, own).breakerOf("a");
    const permit = breaker?.enter();
    if (permit !== undefined) breaker?.done(permit, "failure", 1);
    return breaker;
  };
  expect(policies.knownBreaker({ service: "s", instance: "a" })).toBeUndefined();
  fail("s", { route: "r", policy: { retry: false } });
  fail("https://elsewhere.example");
  expect(moved).toEqual([]);
  const shared = fail("s");
  expect(moved).toMatchObject([
    [
      { service: "s", instance: "a" },
      { from: "closed", to: "open" },
    ],
  ]);
  expect(policies.knownBreaker({ service: "s", instance: "a" })).toBe(shared);
});
