import { describe, expect, test } from "vitest";
import { LIMITS } from "../limits.ts";
import { type Breaker, type BreakerOutcome, type BreakerTransition, breaker } from "./breaker.ts";
import type { BreakerPolicy } from "./breaker-policy.ts";
import { HINTED } from "./hints/hinted-trial.ts";

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
  /** Draws of 0.5: of what a share decides, only more than half goes through. */
  const hinted = (policy: BreakerPolicy = POLICY) => {
    const stood = stand(
      policy,
      Array.from({ length: 999 }, () => 0.5),
    );
    stood.subject.hint(1, 20_000);
    return stood;
  };

  test("opens nothing, lets a call through at once, and then one a second at least", () => {
    const { subject, world } = hinted();
    const entered = () => subject.enter() !== undefined;
    expect([entered(), entered(), entered()]).toEqual([true, false, false]);
    expect(subject.state()).toMatchObject({ kind: "half_open", sampled: true, inFlight: 1 });
    world.now += HINTED.everyMs;
    expect([entered(), entered()]).toEqual([true, false]);
  });

  test("lets the share of the calls through in between", () => {
    let draw = 0;
    const subject = breaker({
      policy: () => ({ ...POLICY, permittedHalfOpenCalls: 100 }),
      clock: () => 0,
      random: () => (draw++ % 100) / 100,
    });
    subject.hint(1, 20_000);
    subject.enter();
    const entered = Array.from({ length: 200 }, () => subject.enter()).filter((permit) => permit);
    expect(entered).toHaveLength(200 * HINTED.share);
  });

  test("that is true opens by the first call that fails", () => {
    const { subject, transitions } = hinted();
    call(subject, "failure");
    expect(subject.state()).toMatchObject({ kind: "open" });
    expect(transitions.at(-1)).toEqual({ from: "half_open", to: "open", because: "trial" });
  });

  test("that is false is over after a few good calls, and all that was counted stands", () => {
    const { subject } = stand();
    calls(subject, 3, "success");
    subject.hint(1, 20_000);
    calls(subject, 2, "success");
    expect(subject.state()).toEqual({ kind: "closed" });
    expect(subject.metrics().window.calls).toBe(5);
  });

  test("is answered once: heard again it changes nothing, another one does", () => {
    const { subject } = stand();
    subject.hint(1, 20_000);
    calls(subject, 2, "success");
    subject.hint(1, 19_000);
    expect(subject.state().kind).toBe("closed");
    subject.hint(2, 20_000);
    expect(subject.state().kind).toBe("half_open");
  });

  test("ends by its time or its withdrawal, with or without calls", () => {
    const late = hinted();
    late.world.now += 20_000;
    expect(late.subject.enter()).toBeDefined();
    expect(late.subject.state()).toEqual({ kind: "closed" });
    const { subject, transitions } = hinted();
    subject.withdrawHint();
    expect(subject.state()).toEqual({ kind: "closed" });
    expect(transitions.at(-1)).toEqual({ from: "half_open", to: "closed", because: "hint" });
  });

  test("never stands longer than the bound, whatever is said", () => {
    const { subject, world } = stand();
    subject.hint(1, Number.MAX_SAFE_INTEGER);
    world.now += LIMITS.breakerHintMs;
    subject.enter();
    expect(subject.state()).toEqual({ kind: "closed" });
  });

  test("leaves an open breaker open, whose trial then fails by its first failure", () => {
    const { subject, world } = opened();
    subject.hint(1, 20_000);
    expect(subject.state()).toEqual({ kind: "open", remainingMs: 5_000 });
    world.now += 5_000;
    world.policy = { ...POLICY, permittedHalfOpenCalls: 4 };
    call(subject, "failure");
    expect(subject.state()).toEqual({ kind: "open", remainingMs: 10_000 });
  });

  test("that is withdrawn leaves the trial of an open breaker as it is without", () => {
    const { subject, world } = opened();
    subject.hint(1, 20_000);
    subject.withdrawHint();
    world.now += 5_000;
    world.policy = { ...POLICY, permittedHalfOpenCalls: 4 };
    call(subject, "failure");
    expect(subject.state()).toMatchObject({ kind: "half_open", judged: 1 });
  });

  test("changes nothing where an operator decides", () => {
    for (const mode of ["forced_closed", "forced_open", "disabled"] as const) {
      const { subject, transitions } = hinted({ ...POLICY, mode });
      subject.enter();
      expect(transitions).toEqual([]);
    }
  });

  test("counts under metrics only what it would refuse, and refuses nothing", () => {
    const { subject } = hinted({ ...POLICY, mode: "metrics_only" });
    for (let index = 0; index < 5; index++) expect(subject.enter()).toBeDefined();
    expect(subject.metrics().refused).toBe(4);
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
