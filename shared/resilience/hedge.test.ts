import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { err, ok } from "../result.ts";
import { deadlineInVirtualTime, timerOf } from "./deadline-in-virtual-time.ts";
import type { Timer } from "./deadline-timer.ts";
import { type Hedged, type HedgeOptions, hedged } from "./hedge.ts";
import type { Attempt } from "./retry.ts";
import { retryBudget } from "./retry-budget.ts";

type Refusal = "unreachable";

/** How an attempt ends, after how long, and whether it keeps to its signal. */
type Script = { afterMs: number; ending: number | Refusal | "throws"; deaf?: boolean };

const setUp = (
  scripts: readonly [Script, Script],
  changes: Partial<HedgeOptions<Refusal>> = {},
  deadlineMs = 1_000,
) => {
  const time = virtualTime();
  const client = new AbortController();
  const startMs = time.clock();
  const begun: number[] = [];
  const aborted: number[] = [];
  const cancelled: number[] = [];

  const attempt: Attempt<Refusal> = async (n, signal) => {
    begun.push(time.clock() - startMs);
    signal.addEventListener("abort", () => aborted.push(n));
    const { afterMs, ending, deaf = false } = scripts[n === 1 ? 0 : 1];
    try {
      await time.sleep(afterMs, deaf ? undefined : signal);
    } catch {
      return err("unreachable");
    }
    if (ending === "throws") throw new Error(`attempt ${n}`);
    if (typeof ending === "string") return err(ending);
    const body = new ReadableStream({ cancel: () => void cancelled.push(n) });
    return ok(new Response(body, { status: ending }));
  };

  const budget = retryBudget(time.clock, { ratio: 0, perSecond: 0, cap: 1 });
  const deadline = deadlineInVirtualTime(time, { ms: deadlineMs, client: client.signal });
  const run = () =>
    hedged(attempt, {
      afterMs: 100,
      safe: true,
      good: (outcome) => outcome.ok && outcome.value.status < 500,
      budget,
      deadline,
      timer: timerOf(time),
      ...changes,
    });

  const end = async () => {
    let result: Hedged<Refusal> | { thrown: unknown } | undefined;
    const note = (outcome: Hedged<Refusal> | { thrown: unknown }) => {
      result = outcome;
    };
    run().then(note, (thrown: unknown) => note({ thrown }));
    await time.until(() => result !== undefined);
    const tookMs = time.clock() - startMs;
    deadline.release();
    await time.pass(10_000);
    if (!result || "thrown" in result) return { tookMs, ending: "throws", thrown: result?.thrown };
    const ending = result.ok ? result.value.status : result.error;
    return { tookMs, ending, winner: result.winner, attempts: result.attempts };
  };
  return { time, client, begun, aborted, cancelled, budget, run, end };
};

const fast: Script = { afterMs: 10, ending: 200 };
const slow: Script = { afterMs: 500, ending: 200 };

test("an attempt that is fast enough stays alone and unpaid", async () => {
  const { end, begun, budget, aborted } = setUp([{ afterMs: 99, ending: 200 }, fast]);
  expect(await end()).toMatchObject({ ending: 200, attempts: 1, winner: 1, tookMs: 99 });
  expect(begun).toEqual([0]);
  expect(aborted).toEqual([]);
  expect(budget.take()).toBe(true);
});

test("an attempt that is fast enough leaves no timer", async () => {
  let timers = 0;
  const timer: Timer = () => {
    timers++;
    return () => void timers--;
  };
  const { end } = setUp([fast, fast], { timer });
  await end();
  expect(timers).toBe(0);
});

test("a slow one gets a second beside it, paid from the budget, and the faster answer counts", async () => {
  const { end, begun, aborted, budget } = setUp([slow, fast]);
  expect(await end()).toMatchObject({ ending: 200, attempts: 2, winner: 2, tookMs: 110 });
  expect(begun).toEqual([0, 100]);
  expect(aborted).toEqual([1]);
  expect(budget.take()).toBe(false);
});

test("the first may still win, and then the second is given up", async () => {
  const { end, aborted } = setUp([{ afterMs: 150, ending: 200 }, slow]);
  expect(await end()).toMatchObject({ winner: 1, attempts: 2, tookMs: 150 });
  expect(aborted).toEqual([2]);
});

test("an answer that comes from the loser in spite of its signal is cancelled, the winner's is not", async () => {
  const { end, cancelled } = setUp([{ ...slow, deaf: true }, fast]);
  await end();
  expect(cancelled).toEqual([1]);
});

test("a loser that throws afterwards is no unhandled rejection", async () => {
  const { end } = setUp([{ afterMs: 500, ending: "throws", deaf: true }, fast]);
  expect(await end()).toMatchObject({ ending: 200, winner: 2 });
});

test.each<[string, [Script, Script], Record<string, unknown>]>([
  [
    "the second fails: the first's answer",
    [slow, { afterMs: 10, ending: "unreachable" }],
    { ending: 200, winner: 1 },
  ],
  ["the second is bad: the first's answer", [slow, { afterMs: 10, ending: 503 }], { ending: 200, winner: 1 }],
  [
    "the second throws: the first's answer",
    [slow, { afterMs: 10, ending: "throws" }],
    { ending: 200, winner: 1 },
  ],
  [
    "the first fails later: the second's answer",
    [{ afterMs: 150, ending: "unreachable" }, slow],
    { ending: 200, winner: 2, tookMs: 600 },
  ],
  [
    "the first throws later: the second's answer",
    [{ afterMs: 150, ending: "throws" }, slow],
    { ending: 200, winner: 2 },
  ],
  [
    "both are bad: the answer rather than the refusal",
    [
      { afterMs: 150, ending: "unreachable" },
      { afterMs: 100, ending: 503 },
    ],
    { ending: 503, winner: 2 },
  ],
  [
    "both answers are bad: the first's",
    [
      { afterMs: 250, ending: 502 },
      { afterMs: 10, ending: 503 },
    ],
    { ending: 502, winner: 1 },
  ],
  [
    "one throws, one refuses: the refusal",
    [
      { afterMs: 150, ending: "throws" },
      { afterMs: 10, ending: "unreachable" },
    ],
    { ending: "unreachable", winner: 2 },
  ],
])("%s", async (_, scripts, expected) => {
  expect(await setUp(scripts).end()).toMatchObject(expected);
});

test("both throw: so does it", async () => {
  const throws: Script = { afterMs: 150, ending: "throws" };
  expect(await setUp([throws, throws]).end()).toMatchObject({ thrown: { message: "attempt 2" } });
});

test("both answers are bad: the other one's body is cancelled", async () => {
  const { end, cancelled } = setUp([
    { afterMs: 250, ending: 502 },
    { afterMs: 10, ending: 503 },
  ]);
  await end();
  expect(cancelled).toEqual([2]);
});

test("a failure that comes before its time is up is told at once: trying again is the retry's matter", async () => {
  const { end, begun } = setUp([{ afterMs: 20, ending: "unreachable" }, fast]);
  expect(await end()).toMatchObject({ ending: "unreachable", attempts: 1, tookMs: 20 });
  expect(begun).toEqual([0]);
});

test.each<[string, Partial<HedgeOptions<Refusal>>]>([
  ["what may not be sent twice", { safe: false }],
  ["an upstream whose latency is unknown", { afterMs: undefined }],
  ["a latency beyond the deadline", { afterMs: 1_000 }],
  ["an empty budget", { budget: retryBudget(() => 0, { ratio: 0, perSecond: 0, cap: 0 }) }],
])("there is no second for %s", async (_, changes) => {
  const { end, begun } = setUp([slow, fast], changes);
  expect(await end()).toMatchObject({ ending: 200, attempts: 1, tookMs: 500 });
  expect(begun).toEqual([0]);
});

describe("a client that goes away", () => {
  it("ends both at once", async () => {
    const { time, client, run, aborted } = setUp([slow, slow]);
    const outcome = run();
    await time.pass(200);
    client.abort("gone");
    expect(await outcome).toMatchObject({ ok: false, error: "unreachable" });
    expect(aborted.sort()).toEqual([1, 2]);
  });

  it("before the first was slow leaves no second", async () => {
    const { time, client, run, begun, budget } = setUp([{ ...slow, deaf: true }, fast]);
    const outcome = run();
    await time.pass(50);
    client.abort("gone");
    await time.pass(1_000);
    expect(await outcome).toMatchObject({ attempts: 1 });
    expect(begun).toEqual([0]);
    expect(budget.take()).toBe(true);
  });

  it("after the answer has come still ends the winner's body", async () => {
    const { time, client, run, aborted } = setUp([slow, fast]);
    const outcome = run();
    await time.pass(200);
    expect(await outcome).toMatchObject({ winner: 2 });
    client.abort("gone");
    expect(aborted).toEqual([1, 2]);
  });
});

test("the deadline ends both", async () => {
  const { end, aborted } = setUp([slow, slow], {}, 300);
  expect(await end()).toMatchObject({ ending: "unreachable", tookMs: 300 });
  expect(aborted.sort()).toEqual([1, 2]);
});

test("however two attempts end, a good answer is never lost and only one body is left to read", async () => {
  const script = fc.record({
    afterMs: fc.integer({ min: 0, max: 400 }),
    ending: fc.constantFrom<Script["ending"]>(200, 404, 503, "unreachable", "throws"),
    deaf: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(script, script, async (first, second) => {
      const { end, begun, cancelled } = setUp([first, second]);
      const { ending } = await end();
      const raced = begun.length === 2 ? [first, second] : [first];
      const isGood = (each: Script) => each.ending === 200 || each.ending === 404;
      expect(begun.length === 2).toBe(first.afterMs > 100);
      if (raced.some(isGood)) expect([200, 404]).toContain(ending);
      const bodies = raced.filter((each) => typeof each.ending === "number" && each.deaf).length;
      expect(cancelled.length).toBeGreaterThanOrEqual(Math.max(0, bodies - 1));
      expect(cancelled.length).toBeLessThan(2);
    }),
    { numRuns: 200 },
  );
});
