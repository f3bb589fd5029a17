/** What a breaker keeps to under any calls, outcomes, policies and clocks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BreakerOutcome, type BreakerTransition, breaker, type Permit } from "./breaker.ts";
import { type BreakerMode, type BreakerPolicy, breakerSettings } from "./breaker-policy.ts";
import { breakerWindow } from "./breaker-window.ts";
import { HINTED } from "./hints/hinted-trial.ts";

const outcome = fc.constantFrom<BreakerOutcome>("success", "failure", "failure", "ignored");
const modes: readonly BreakerMode[] = ["auto", "forced_open", "forced_closed", "disabled", "metrics_only"];
const policy = fc.record<BreakerPolicy>({
  window: fc.oneof(
    fc.record({ kind: fc.constant("count" as const), calls: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant("time" as const), seconds: fc.integer({ min: 1, max: 20 }) }),
  ),
  failureRate: fc.double({ min: 0.1, max: 1.2, noNaN: true }),
  slowCallRate: fc.double({ min: 0.1, max: 1.2, noNaN: true }),
  slowCallMs: fc.integer({ min: 0, max: 3_000 }),
  minimumCalls: fc.integer({ min: 1, max: 8 }),
  permittedHalfOpenCalls: fc.integer({ min: 1, max: 4 }),
  openMs: fc.integer({ min: 0, max: 5_000 }),
  openMsMax: fc.integer({ min: 0, max: 30_000 }),
  openGrowth: fc.double({ min: 1, max: 4, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});

type Step =
  | { readonly do: "enter" }
  | { readonly do: "done"; readonly which: number; readonly outcome: BreakerOutcome; readonly tookMs: number }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "hint"; readonly id: number; readonly forMs: number }
  | { readonly do: "withdraw" }
  | { readonly do: "policy"; readonly policy: BreakerPolicy };

const steps = (policies: fc.Arbitrary<BreakerPolicy>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant("enter" as const) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constant("done" as const),
          which: fc.nat(20),
          outcome,
          tookMs: fc.integer({ min: 0, max: 4_000 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("clock" as const),
          ms: fc.integer({ min: -50_000, max: 40_000 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("hint" as const),
          id: fc.nat(3),
          forMs: fc.integer({ min: -1_000, max: 60_000 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("withdraw" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("policy" as const), policy: policies }) },
    ),
    { maxLength: 120 },
  );

const changing = fc
  .record({ policy, mode: fc.constantFrom(...modes) })
  .map((drawn) => ({ ...drawn.policy, mode: drawn.mode }));

/** Permits stay in `held` after they were told of: a caller may be wrong and tell twice. */
const stand = (initial: BreakerPolicy, draw: number) => {
  const world = { now: 0, policy: initial };
  const transitions: BreakerTransition[] = [];
  const subject = breaker({
    policy: () => world.policy,
    clock: () => world.now,
    random: () => draw,
    onTransition: (transition) => transitions.push(transition),
  });
  const held: Permit[] = [];
  const run = (step: Step): Permit | undefined => {
    switch (step.do) {
      case "enter": {
        const permit = subject.enter();
        if (permit !== undefined) held.push(permit);
        return permit;
      }
      case "done": {
        const permit = held.at(-1 - (step.which % Math.max(1, held.length)));
        if (permit !== undefined) subject.done(permit, step.outcome, step.tookMs);
        return undefined;
      }
      case "clock":
        world.now += step.ms;
        return undefined;
      case "hint":
        subject.hint(step.id, step.forMs);
        return undefined;
      case "withdraw":
        subject.withdrawHint();
        return undefined;
      case "policy":
        world.policy = step.policy;
        return undefined;
    }
  };
  return { world, subject, transitions, run };
};

const draw = fc.double({ min: 0, max: 0.999, noNaN: true });

describe("under any sequence of calls, outcomes, policies and steps of the clock, a breaker", () => {
  test("in half-open never has more calls under way and judged than are permitted", () => {
    fc.assert(
      fc.property(policy, draw, steps(policy), (initial, drawn, sequence) => {
        const { world, subject, run } = stand(initial, drawn);
        for (const step of sequence) {
          const permit = run(step);
          const after = subject.state();
          if (step.do !== "enter" || permit === undefined || after.kind !== "half_open") continue;
          const { permittedHalfOpenCalls } = breakerSettings(world.policy);
          expect(after.inFlight + after.judged).toBeLessThanOrEqual(permittedHalfOpenCalls);
        }
      }),
    );
  });

  test("never opens by fewer calls than the least that are judged", () => {
    fc.assert(
      fc.property(policy, draw, steps(policy), (initial, drawn, sequence) => {
        const { world, subject, transitions, run } = stand(initial, drawn);
        for (const step of sequence.filter((each) => each.do !== "hint")) {
          const count = transitions.length;
          run(step);
          for (const { because } of transitions.slice(count)) {
            if (because !== "failures" && because !== "slow_calls") continue;
            expect(subject.metrics().window.calls).toBeGreaterThanOrEqual(
              breakerSettings(world.policy).minimumCalls,
            );
          }
        }
      }),
    );
  });

  test("always leaves open, within its longest time", () => {
    fc.assert(
      fc.property(policy, draw, steps(policy), (initial, drawn, sequence) => {
        const { world, subject, run } = stand(initial, drawn);
        for (const step of sequence) run(step);
        if (subject.state().kind !== "open") return;
        world.now += breakerSettings(world.policy).openMsMax;
        expect(subject.enter()).toBeDefined();
      }),
    );
  });

  test("is closed again after a few good calls, whatever permits never came back", () => {
    fc.assert(
      fc.property(changing, draw, steps(changing), (initial, drawn, sequence) => {
        const { world, subject, run } = stand(initial, drawn);
        for (const step of sequence) run(step);
        world.policy = { ...world.policy, mode: "auto", slowCallMs: 3_000 };
        for (let trial = 0; trial < 3; trial++) {
          world.now += 30_001;
          for (let index = 0; index < 200; index++) {
            const permit = subject.enter();
            if (permit !== undefined) subject.done(permit, "success", 0);
          }
        }
        expect(subject.state()).toEqual({ kind: "closed" });
      }),
    );
  });

  test("is never opened by a hint: only by calls of its own that failed or were slow", () => {
    fc.assert(
      fc.property(changing, draw, steps(changing), (initial, drawn, sequence) => {
        const { transitions, run } = stand({ ...initial, mode: "auto", slowCallRate: 1.1 }, drawn);
        for (const step of sequence) {
          if (step.do === "policy" || (step.do === "done" && step.outcome === "failure")) continue;
          run(step);
        }
        expect(transitions.filter(({ to }) => to === "open")).toEqual([]);
      }),
    );
  });

  test("lets a call through once a second at least while it is hinted at, when calls come back", () => {
    fc.assert(
      fc.property(policy, draw, fc.array(fc.nat(3_000), { maxLength: 60 }), (initial, drawn, pauses) => {
        const { world, subject } = stand({ ...initial, slowCallRate: 1.1 }, drawn);
        let letMs = Number.NEGATIVE_INFINITY;
        for (const [index, pauseMs] of pauses.entries()) {
          world.now += pauseMs;
          if (index % 5 === 0) subject.hint(index, 30_000);
          const permit = subject.enter();
          if (permit === undefined) expect(world.now - letMs).toBeLessThan(HINTED.everyMs);
          else {
            letMs = world.now;
            subject.done(permit, index % 3 === 0 ? "ignored" : "success", 0);
          }
        }
      }),
    );
  });

  test("obeys a forced mode at every call", () => {
    fc.assert(
      fc.property(changing, draw, steps(changing), (initial, drawn, sequence) => {
        const { world, run } = stand(initial, drawn);
        for (const step of sequence) {
          const permit = run(step);
          if (step.do !== "enter" || world.policy.mode === "auto") continue;
          expect(permit === undefined).toBe(world.policy.mode === "forced_open");
        }
      }),
    );
  });

  test("never counts below zero, nor more failures than calls", () => {
    fc.assert(
      fc.property(changing, draw, steps(changing), (initial, drawn, sequence) => {
        const { subject, run } = stand(initial, drawn);
        for (const step of sequence) {
          run(step);
          const { calls, failures, slow, refused, window } = subject.metrics();
          for (const count of [calls, failures, slow, refused, window.calls, window.failures, window.slow])
            expect(count).toBeGreaterThanOrEqual(0);
          expect(Math.max(failures, slow)).toBeLessThanOrEqual(calls);
          expect(Math.max(window.failures, window.slow)).toBeLessThanOrEqual(window.calls);
        }
      }),
    );
  });
});

type Record = { readonly afterMs: number; readonly failed: boolean; readonly slow: boolean };
const records = fc.array(
  fc.record<Record>({ afterMs: fc.nat(4_000), failed: fc.boolean(), slow: fc.boolean() }),
  { maxLength: 80 },
);
const sumsOf = (kept: readonly Record[]) => ({
  calls: kept.length,
  failures: kept.filter(({ failed }) => failed).length,
  slow: kept.filter(({ slow }) => slow).length,
});

test("a window by count holds exactly the last calls", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), records, (calls, sequence) => {
      const window = breakerWindow({ kind: "count", calls });
      for (const { failed, slow } of sequence) window.record(0, failed, slow);
      expect(window.sums).toEqual(sumsOf(sequence.slice(-calls)));
    }),
  );
});

test("a window by time never holds what is older, and all of its last nine tenths", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), records, fc.nat(30_000), (seconds, sequence, idleMs) => {
      const window = breakerWindow({ kind: "time", seconds });
      let now = 0;
      const told: { at: number; record: Record }[] = [];
      for (const record of sequence) {
        now += record.afterMs;
        window.record(now, record.failed, record.slow);
        told.push({ at: now, record });
      }
      now += idleMs;
      window.look(now);
      const within = (ms: number) =>
        sumsOf(told.filter(({ at }) => at > now - ms).map(({ record }) => record));
      const longest = within(seconds * 1_000);
      const shortest = within(seconds * 900);
      for (const field of ["calls", "failures", "slow"] as const) {
        expect(window.sums[field]).toBeLessThanOrEqual(longest[field]);
        expect(window.sums[field]).toBeGreaterThanOrEqual(shortest[field]);
      }
    }),
  );
});
