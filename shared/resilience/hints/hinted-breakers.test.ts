import { describe, expect, test } from "vitest";
import { type Breaker, type BreakerOutcome, breaker } from "../breaker.ts";
import type { BreakerPolicy } from "../breaker-policy.ts";
import { type BreakerNews, type BreakerReport, NO_BREAKER_NEWS } from "./breaker-hint.ts";
import { hintedBreakers, isBad } from "./hinted-breakers.ts";

const NAME = { service: "orders", instance: "a" };
const ASKED: BreakerNews = { hints: [], asked: [NAME] };
const hint = (id: number): BreakerNews => ({ hints: [{ ...NAME, id, forMs: 20_000 }], asked: [NAME] });

const stand = (policy: BreakerPolicy = { minimumCalls: 4, jitter: 0 }) => {
  const world = { now: 0, policy };
  const reports: BreakerReport[] = [];
  const breakers = new Map<string, Breaker>();
  const clock = () => world.now;
  const hinted = hintedBreakers({
    find: ({ instance }) => breakers.get(instance),
    report: (report) => reports.push(report),
    clock,
  });
  const own = breaker({
    policy: () => world.policy,
    clock,
    random: () => 0,
    onTransition: (transition) => hinted.moved(NAME, transition),
  });
  breakers.set("a", own);
  const calls = (count: number, outcome: BreakerOutcome, tookMs = 1) => {
    for (let index = 0; index < count; index++) {
      const permit = own.enter();
      if (permit !== undefined) own.done(permit, outcome, tookMs);
    }
  };
  const hear = (news: BreakerNews) => {
    reports.length = 0;
    hinted.heard(news);
    return [...reports];
  };
  return { world, own, reports, calls, hear };
};

describe("an isolate", () => {
  test("tells of its opening with what it saw, and of the trial that closes", () => {
    const { world, calls, reports } = stand();
    calls(1, "success");
    calls(3, "failure");
    world.now += 5_000;
    calls(3, "success");
    expect(reports).toEqual([
      { ...NAME, state: "open", calls: 4, failures: 3 },
      { ...NAME, state: "closed", calls: 0, failures: 0 },
    ]);
  });

  test("tells nothing of what others or an operator moved", () => {
    const { world, calls, own, hear, reports } = stand();
    hear(hint(1));
    own.withdrawHint();
    calls(4, "failure");
    reports.length = 0;
    world.policy = { mode: "forced_open" };
    own.enter();
    expect(reports).toEqual([]);
    expect(hear(ASKED)).toEqual([]);
  });

  test("that is asked tells how its calls went, those that were slow as failures", () => {
    const { calls, hear } = stand({ minimumCalls: 100, slowCallMs: 10 });
    expect(hear(ASKED)).toEqual([]);
    calls(3, "success");
    calls(2, "success", 11);
    calls(1, "failure");
    expect(hear(ASKED)).toEqual([{ ...NAME, state: "closed", calls: 6, failures: 2 }]);
  });

  test("says the same again only after a while, something else at once", () => {
    const { world, calls, hear } = stand({ minimumCalls: 100 });
    calls(1, "success");
    expect(hear(ASKED)).toHaveLength(1);
    world.now += 4_999;
    expect(hear(ASKED)).toHaveLength(0);
    world.now += 1;
    expect(hear(ASKED)).toHaveLength(1);
    calls(2, "failure");
    expect(hear(ASKED)).toEqual([{ ...NAME, state: "closed", calls: 3, failures: 2 }]);
  });

  test("that hears a hint samples, and stops when it is not told of it any more", () => {
    const { own, hear } = stand();
    hear(hint(1));
    expect(own.state()).toMatchObject({ kind: "half_open", sampled: true });
    hear(ASKED);
    expect(own.state()).toEqual({ kind: "closed" });
    hear(hint(2));
    hear(NO_BREAKER_NEWS);
    expect(own.state()).toEqual({ kind: "closed" });
  });

  test("says of its calls how they went while it samples, and that it is open while its own trial lasts", () => {
    const { world, own, calls, hear } = stand();
    calls(2, "success");
    expect(hear(hint(1))).toEqual([{ ...NAME, state: "closed", calls: 2, failures: 0 }]);
    calls(1, "failure");
    world.now += 5_000;
    own.enter();
    expect(own.state()).toMatchObject({ kind: "half_open", sampled: false });
    expect(hear(ASKED)).toEqual([{ ...NAME, state: "open", calls: 3, failures: 1 }]);
  });

  test("heeds no hint of what it never called", () => {
    const { hear } = stand();
    const name = { service: "orders", instance: "other" };
    expect(hear({ hints: [{ ...name, id: 1, forMs: 1_000 }], asked: [name] })).toEqual([]);
  });
});

test("who fails half of a few calls says bad, who has none says nothing", () => {
  const closed = (calls: number, failures: number) => isBad({ state: "closed", calls, failures });
  expect([closed(0, 0), closed(3, 1), closed(2, 1), closed(1, 1)]).toEqual([false, false, true, true]);
  expect(isBad({ state: "open", calls: 0, failures: 0 })).toBe(true);
});
