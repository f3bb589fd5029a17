import { describe, expect, test } from "vitest";
import { type Breaker, type BreakerOutcome, type BreakerTransition, breaker } from "./breaker.ts";
import type { BreakerPolicy } from "./breaker-policy.ts";

const POLICY: BreakerPolicy = {
  window: { kind: "count", calls: 10 },
  minimumCalls: 4,
  permittedHalfOpenCalls: 2,
  slowCallMs: 1_000,
  openMs: 5_000,
  openMsMax: 40_000,
  jitter: 0,
};

const stand = (policy: BreakerPolicy = POLICY, draws: readonly number[] = []) => {
  const world = { now: 1_000_000, policy };
  const transitions: BreakerTransition[] = [];
  let drawn = 0;
  const subject = breaker({
    policy: () => world.policy,
    clock: () => world.now,
    random: () => draws[drawn++] ?? 0,
    onTransition: (transition) => transitions.push(transition),
  });
  return { world, subject, transitions };
};

const call = (subject: Breaker, outcome: BreakerOutcome, tookMs = 1): boolean => {
  const permit = subject.enter();
  if (permit === undefined) return false;
  subject.done(permit, outcome, tookMs);
  return true;
};

const calls = (subject: Breaker, count: number, outcome: BreakerOutcome, tookMs?: number) => {
  for (let index = 0; index < count; index++) call(subject, outcome, tookMs);
};

const opened = (policy?: BreakerPolicy, draws?: readonly number[]) => {
  const stood = stand(policy, draws);
  calls(stood.subject, 4, "failure");
  expect(stood.subject.state().kind).toBe("open");
  return stood;
};

describe("a closed breaker", () => {
  test("opens at the call that brings the share of failures to its rate", () => {
    const { subject, transitions } = stand();
    calls(subject, 3, "success");
    calls(subject, 2, "failure");
    expect(subject.state()).toEqual({ kind: "closed" });
    call(subject, "failure");
    expect(subject.state()).toEqual({ kind: "open", remainingMs: 5_000 });
    expect(transitions).toEqual([{ from: "closed", to: "open", because: "failures" }]);
    expect(subject.enter()).toBeUndefined();
    expect(subject.metrics()).toMatchObject({ calls: 6, failures: 3, refused: 1, transitions: 1 });
  });

  test("opens when calls are slow though they succeed", () => {
    const { subject, transitions } = stand();
    calls(subject, 4, "success", 1_000);
    expect(subject.state().kind).toBe("closed");
    calls(subject, 10, "success", 1_001);
    expect(transitions).toEqual([{ from: "closed", to: "open", because: "slow_calls" }]);
  });

  test("does not count what says nothing about the upstream", () => {
    const { subject } = stand();
    calls(subject, 100, "ignored", 99_999);
    expect(subject.state().kind).toBe("closed");
    expect(subject.metrics()).toMatchObject({ calls: 0, slow: 0 });
  });

  test("counts no call that began before the last opening", () => {
    const { subject, world } = stand();
    const early = subject.enter();
    calls(subject, 4, "failure");
    world.now += 5_000;
    calls(subject, 2, "success");
    expect(subject.state().kind).toBe("closed");
    if (early !== undefined) subject.done(early, "failure", 1);
    expect(subject.metrics().window.calls).toBe(0);
  });

  test("with a rate above one never opens", () => {
    const { subject } = stand({ ...POLICY, failureRate: 1.1, slowCallRate: 1.1 });
    calls(subject, 50, "failure", 99_999);
    expect(subject.state().kind).toBe("closed");
  });

  test("judges a time window's last seconds only", () => {
    const { subject, world } = stand({ ...POLICY, window: { kind: "time", seconds: 10 } });
    calls(subject, 3, "failure");
    world.now += 10_000;
    calls(subject, 1, "failure");
    expect(subject.state().kind).toBe("closed");
    expect(subject.metrics().window).toEqual({ calls: 1, failures: 1, slow: 0 });
    world.now += 8_000;
    calls(subject, 3, "failure");
    expect(subject.state().kind).toBe("open");
  });
});

describe("an open breaker", () => {
  test("closes after as many successes as a trial has calls", () => {
    const { subject, world, transitions } = opened();
    world.now += 4_999;
    expect(subject.enter()).toBeUndefined();
    world.now += 1;
    call(subject, "success");
    expect(subject.state()).toEqual({ kind: "half_open", sampled: false, inFlight: 0, judged: 1 });
    call(subject, "success");
    expect(subject.state()).toEqual({ kind: "closed" });
    expect(transitions.slice(1)).toEqual([
      { from: "open", to: "half_open", because: "time" },
      { from: "half_open", to: "closed", because: "trial" },
    ]);
  });

  test("stays open longer after each failed trial, up to its longest", () => {
    const { subject, world } = opened();
    const lasted: number[] = [];
    for (let trial = 0; trial < 5; trial++) {
      const state = subject.state();
      lasted.push(state.kind === "open" ? state.remainingMs : 0);
      world.now += lasted.at(-1) ?? 0;
      call(subject, "failure");
    }
    expect(lasted).toEqual([5_000, 10_000, 20_000, 40_000, 40_000]);
  });

  test("is open for shorter again after a good while, one growth for each longest time closed", () => {
    const { subject, world } = opened();
    for (const ms of [5_000, 10_000]) {
      world.now += ms;
      call(subject, "failure");
    }
    const reopenedAfter = (closedMs: number) => {
      world.now += 40_000;
      calls(subject, 2, "success");
      world.now += closedMs;
      calls(subject, 4, "failure");
      return subject.state();
    };
    expect(reopenedAfter(1_000)).toEqual({ kind: "open", remainingMs: 20_000 });
    expect(reopenedAfter(40_000)).toEqual({ kind: "open", remainingMs: 10_000 });
    expect(reopenedAfter(400_000)).toEqual({ kind: "open", remainingMs: 5_000 });
  });

  test("of other isolates tries at another time", () => {
    const jittered = { ...POLICY, jitter: 0.5 };
    expect(opened(jittered, [0]).subject.state()).toEqual({ kind: "open", remainingMs: 5_000 });
    expect(opened(jittered, [0.5]).subject.state()).toEqual({ kind: "open", remainingMs: 3_750 });
  });

  test("goes by a shorter open time as soon as its policy has one", () => {
    const { subject, world } = opened();
    world.policy = { ...POLICY, openMs: 100 };
    world.now += 100;
    expect(subject.enter()).toBeDefined();
  });

  test("is not held open by a clock that is set back", () => {
    const { subject, world } = opened();
    world.now -= 3_600_000;
    expect(subject.enter()).toBeUndefined();
    world.now += 5_000;
    expect(subject.enter()).toBeDefined();
  });
});

describe("a half-open breaker", () => {
  const halfOpen = () => {
    const stood = opened();
    stood.world.now += 5_000;
    return stood;
  };

  test("lets no more through than it judges", () => {
    const { subject } = halfOpen();
    expect(subject.enter()).toBeDefined();
    expect(subject.enter()).toBeDefined();
    expect(subject.enter()).toBeUndefined();
  });

  test("gives the place of a call that said nothing to another", () => {
    const { subject } = halfOpen();
    calls(subject, 5, "ignored");
    expect(subject.state()).toEqual({ kind: "half_open", sampled: false, inFlight: 0, judged: 0 });
  });

  test("counts a call once, however often it is told of", () => {
    const { subject } = halfOpen();
    const permit = subject.enter();
    if (permit === undefined) throw new Error("expected a permit");
    subject.done(permit, "success", 1);
    subject.done(permit, "success", 1);
    expect(subject.state()).toMatchObject({ kind: "half_open", judged: 1 });
  });

  test("takes calls that never come back for slow ones and goes on", () => {
    const { subject, world } = halfOpen();
    subject.enter();
    subject.enter();
    world.now += 5_000;
    expect(subject.enter()).toBeUndefined();
    expect(subject.state().kind).toBe("half_open");
    world.now += 1;
    expect(subject.enter()).toBeUndefined();
    expect(subject.state()).toEqual({ kind: "open", remainingMs: 10_000 });
  });
});

describe("a hint", () => {
  test("lets the next calls be judged by themselves, refuses none and opens nothing", () => {
    const { subject } = stand();
    subject.hint();
    expect(Array.from({ length: 20 }, () => subject.enter()).every((permit) => permit !== undefined)).toBe(
      true,
    );
    expect(subject.state()).toMatchObject({ kind: "half_open", sampled: true, inFlight: 2 });
  });

  test("that is true opens after a trial's calls, earlier than alone", () => {
    const { subject } = stand({ ...POLICY, minimumCalls: 10 });
    subject.hint();
    calls(subject, 2, "failure");
    expect(subject.state()).toEqual({ kind: "open", remainingMs: 5_000 });
  });

  test("that is false leaves the breaker closed with all that it had counted", () => {
    const { subject } = stand();
    calls(subject, 3, "success");
    subject.hint();
    calls(subject, 2, "success");
    expect(subject.state()).toEqual({ kind: "closed" });
    expect(subject.metrics().window.calls).toBe(3);
  });

  test("changes nothing where the breaker is open, or an operator decides", () => {
    const { subject } = opened();
    subject.hint();
    expect(subject.state().kind).toBe("open");
    const forced = stand({ ...POLICY, mode: "forced_closed" });
    forced.subject.hint();
    expect(forced.subject.state().kind).toBe("closed");
  });
});

describe("the mode", () => {
  test("forced open refuses from the next call on, and auto begins anew", () => {
    const { subject, world } = stand();
    world.policy = { ...POLICY, mode: "forced_open" };
    expect(subject.enter()).toBeUndefined();
    expect(subject.state()).toEqual({ kind: "open", remainingMs: Number.POSITIVE_INFINITY });
    world.policy = POLICY;
    expect(subject.enter()).toBeDefined();
  });

  test("forced closed lets all through and counts, disabled counts nothing", () => {
    for (const [mode, counted] of [
      ["forced_closed", 9],
      ["disabled", 0],
    ] as const) {
      const { subject, world } = opened();
      world.policy = { ...POLICY, mode };
      const before = subject.metrics().calls;
      calls(subject, 9, "failure");
      expect(subject.state()).toEqual({ kind: "closed" });
      expect(subject.metrics().calls - before).toBe(counted);
    }
  });

  test("metrics only refuses nothing and shows what auto would do", () => {
    const { subject, world } = stand({ ...POLICY, mode: "metrics_only" });
    calls(subject, 4, "failure");
    expect(subject.state().kind).toBe("open");
    expect(call(subject, "failure")).toBe(true);
    expect(subject.metrics()).toMatchObject({ calls: 4, refused: 1 });
    world.now += 5_000;
    calls(subject, 2, "success");
    expect(subject.state().kind).toBe("closed");
  });
});

test("another window begins empty, another rate judges what is counted", () => {
  const { subject, world } = stand();
  calls(subject, 5, "success");
  calls(subject, 2, "failure");
  world.policy = { ...POLICY, failureRate: 0.3 };
  call(subject, "success");
  expect(subject.state().kind).toBe("closed");
  call(subject, "failure");
  expect(subject.state().kind).toBe("open");
  const other = stand();
  calls(other.subject, 3, "failure");
  other.world.policy = { ...POLICY, window: { kind: "time", seconds: 5 } };
  call(other.subject, "failure");
  expect(other.subject.state().kind).toBe("closed");
});
