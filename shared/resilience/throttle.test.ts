import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Priority, type ThrottlePermit, type ThrottlePolicy, throttle } from "./throttle.ts";

const PRIORITIES = ["low", "normal", "high"] as const;

const stand = (policy: ThrottlePolicy, draw = 0.999) => {
  const world = { now: 0, policy, draw };
  const subject = throttle({ policy: () => world.policy, clock: () => world.now, random: () => world.draw });
  const call = (outcome: "accepted" | "rejected" | "ignored", priority: Priority = "normal"): boolean => {
    const permit = subject.enter(priority);
    if (permit !== undefined) subject.done(permit, outcome);
    return permit !== undefined;
  };
  const calls = (count: number, outcome: "accepted" | "rejected") => {
    for (let index = 0; index < count; index++) call(outcome);
  };
  return { world, subject, call, calls };
};

const POLICY: ThrottlePolicy = { factor: 2, padding: 1, windowSeconds: 60, patienceMs: 5_000 };

describe("a throttle", () => {
  test("refuses the share of calls that the book's formula says", () => {
    const { subject, calls } = stand(POLICY);
    calls(20, "accepted");
    calls(59, "rejected");
    expect(subject.metrics()).toMatchObject({ requests: 79, accepts: 20 });
    expect(subject.metrics().refusedShare.normal).toBeCloseTo((79 - 2 * 20) / 80, 12);
  });

  test("lets a call through or refuses it by that share", () => {
    const { world, subject, calls } = stand(POLICY);
    calls(9, "rejected");
    world.draw = 0.8999;
    expect(subject.enter("normal")).toBeUndefined();
    world.draw = subject.metrics().refusedShare.normal;
    expect(subject.enter("normal")).toBeDefined();
    expect(subject.metrics().refused).toBe(1);
  });

  test("counts a refused call as one that was not accepted", () => {
    const { world, subject, calls } = stand(POLICY);
    calls(9, "rejected");
    world.draw = 0;
    subject.enter("normal");
    expect(subject.metrics()).toMatchObject({ requests: 10, accepts: 0 });
  });

  test("refuses low priorities first and high ones last", () => {
    const { subject, calls } = stand(POLICY);
    calls(35, "accepted");
    calls(65, "rejected");
    const { low, normal, high } = subject.metrics().refusedShare;
    expect(low).toBeGreaterThan(normal);
    expect(normal).toBeGreaterThan(0);
    expect(high).toBe(0);
  });

  test("refuses little for a few failures at low traffic", () => {
    const { subject, calls } = stand({});
    calls(1, "rejected");
    expect(subject.metrics().refusedShare.normal).toBeCloseTo(1 / 9, 12);
  });

  test("notices calls that hang before they have timed out", () => {
    const { world, subject } = stand(POLICY);
    for (let index = 0; index < 20; index++) subject.enter("normal");
    expect(subject.metrics().refusedShare.normal).toBe(0);
    world.now += 9_000;
    expect(subject.metrics()).toMatchObject({ requests: 20, accepts: 0 });
    expect(subject.metrics().refusedShare.normal).toBeGreaterThan(0.9);
  });

  test("forgets an accepted call together with its start, however late it was accepted", () => {
    const { world, subject } = stand(POLICY);
    const slow = subject.enter("normal") as ThrottlePermit;
    world.now += 55_000;
    subject.done(slow, "accepted");
    expect(subject.metrics()).toMatchObject({ requests: 1, accepts: 1 });
    world.now += 5_000;
    expect(subject.metrics()).toMatchObject({ requests: 0, accepts: 0 });
    subject.done(slow, "accepted");
    expect(subject.metrics()).toMatchObject({ requests: 0, accepts: 0 });
  });

  test("does not take a call from before its window for one that began since", () => {
    const { world, subject } = stand(POLICY);
    const late = subject.enter("normal") as ThrottlePermit;
    world.now += 60_000;
    subject.enter("normal");
    subject.done(late, "accepted");
    expect(subject.metrics()).toMatchObject({ requests: 0, accepts: 0 });
  });

  test("does not count what says nothing about the upstream", () => {
    const { world, subject, call } = stand(POLICY);
    for (let index = 0; index < 50; index++) call("ignored");
    const left = subject.enter("normal") as ThrottlePermit;
    world.now += 9_000;
    subject.done(left, "ignored");
    expect(subject.metrics()).toMatchObject({ requests: 0, accepts: 0 });
  });

  test("with another window begins empty and takes no call of the old one for one of the new", () => {
    const { world, subject, calls } = stand(POLICY);
    calls(9, "rejected");
    const old = subject.enter("normal") as ThrottlePermit;
    world.policy = { ...POLICY, windowSeconds: 30 };
    const fresh = subject.enter("normal") as ThrottlePermit;
    subject.done(old, "rejected");
    expect(subject.metrics().requests).toBe(0);
    subject.done(fresh, "rejected");
    expect(subject.metrics().requests).toBe(1);
  });
});

type Step =
  | { readonly do: "enter"; readonly priority: Priority }
  | { readonly do: "done"; readonly which: number; readonly outcome: "accepted" | "rejected" | "ignored" }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "policy"; readonly policy: ThrottlePolicy };

const policy = fc.record<ThrottlePolicy>({
  factor: fc.double({ min: 1, max: 4, noNaN: true }),
  padding: fc.integer({ min: 0, max: 8 }),
  windowSeconds: fc.integer({ min: 1, max: 60 }),
  patienceMs: fc.integer({ min: 0, max: 60_000 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("enter" as const), priority: fc.constantFrom(...PRIORITIES) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("done" as const),
      which: fc.nat(30),
      outcome: fc.constantFrom("accepted" as const, "rejected" as const, "ignored" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("clock" as const),
      ms: fc.integer({ min: -90_000, max: 90_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("policy" as const), policy }) },
);
const draw = fc.double({ min: 0, max: 0.999, noNaN: true });

describe("under any sequence of calls, outcomes, policies and steps of the clock, a throttle", () => {
  test("counts no more accepted calls than calls, none below zero, and refuses by priority", () => {
    fc.assert(
      fc.property(policy, draw, fc.array(step, { maxLength: 120 }), (initial, drawn, sequence) => {
        const { world, subject } = stand(initial, drawn);
        const held: ThrottlePermit[] = [];
        for (const each of sequence) {
          if (each.do === "enter") {
            const permit = subject.enter(each.priority);
            if (permit !== undefined) held.push(permit);
          }
          const told = each.do === "done" ? held[each.which % Math.max(1, held.length)] : undefined;
          if (each.do === "done" && told !== undefined) subject.done(told, each.outcome);
          if (each.do === "clock") world.now += each.ms;
          if (each.do === "policy") world.policy = each.policy;
          const { requests, accepts, refusedShare } = subject.metrics();
          expect(accepts).toBeGreaterThanOrEqual(0);
          expect(requests).toBeGreaterThanOrEqual(accepts);
          expect(refusedShare.low).toBeGreaterThanOrEqual(refusedShare.normal);
          expect(refusedShare.normal).toBeGreaterThanOrEqual(refusedShare.high);
          expect(refusedShare.low).toBeLessThan(1);
        }
        world.now += 200_000;
        expect(subject.metrics()).toMatchObject({ requests: 0, accepts: 0 });
      }),
    );
  });

  test("refuses nothing while everything is accepted in time", () => {
    const patient = fc.record({
      factor: fc.double({ min: 1, max: 4, noNaN: true }),
      windowSeconds: fc.integer({ min: 2, max: 60 }),
    });
    const calls = fc.array(fc.record({ gapMs: fc.nat(3_000), tookMs: fc.nat(999) }), { maxLength: 100 });
    fc.assert(
      fc.property(patient, calls, (drawn, sequence) => {
        const { world, subject } = stand({ ...drawn, padding: 1, patienceMs: 1_000 }, 0);
        const underWay: { permit: ThrottlePermit; endsAt: number }[] = [];
        const until = (at: number) => {
          for (const { permit, endsAt } of underWay.toSorted((a, b) => a.endsAt - b.endsAt)) {
            if (endsAt > at) break;
            world.now = endsAt;
            subject.done(permit, "accepted");
            underWay.splice(
              underWay.findIndex((call) => call.permit === permit && call.endsAt === endsAt),
              1,
            );
          }
          world.now = at;
        };
        for (const { gapMs, tookMs } of sequence) {
          until(world.now + gapMs);
          const permit = subject.enter("low");
          if (permit === undefined) throw new Error("expected a permit");
          underWay.push({ permit, endsAt: world.now + tookMs });
        }
        expect(subject.metrics().refused).toBe(0);
      }),
    );
  });
});
