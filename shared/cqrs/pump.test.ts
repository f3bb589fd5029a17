import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { LIMITS } from "../limits.ts";
import { pump } from "./pump.ts";

type Work = Parameters<typeof pump>[0]["work"];

const start = (work: Work, context = testActorContext()) => {
  const { time, sleep } = context;
  const following = pump({ context, work, clock: time.clock, random: () => 1, sleep });
  context.onAlarm(following.alarm);
  return { ...following, context, time };
};

/** Work that waits for the end of its slice. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });

describe("pump", () => {
  it("does nothing until it is woken, and starts once however often it is", async () => {
    let started = 0;
    const { wake, running, time } = start(async (signal) => {
      started++;
      await untilAborted(signal);
    });
    await time.settle();
    expect([started, running()]).toEqual([0, false]);
    await wake();
    await time.settle();
    await wake();
    await time.settle();
    expect([started, running()]).toEqual([1, true]);
  });

  it("ends a slice after its time and starts the next one at once", async () => {
    const slices: number[] = [];
    const { wake, time } = start(async (signal) => {
      slices.push(time.clock());
      await untilAborted(signal);
    });
    const began = time.clock();
    await wake();
    await time.pass(LIMITS.pumpMs * 3 - 1);
    expect(slices.map((at) => at - began)).toEqual([0, LIMITS.pumpMs, LIMITS.pumpMs * 2]);
  });

  it("is started again by an alarm soon after its process died in the middle of a slice", async () => {
    const first = start(untilAborted);
    await first.wake();
    await first.time.settle();
    const rescue = first.context.alarmAt() ?? Number.NaN;
    expect(rescue - first.time.clock()).toBeGreaterThan(LIMITS.pumpMs);
    expect(rescue - first.time.clock()).toBeLessThanOrEqual(LIMITS.pumpMs + 10_000);
  });

  it("does not work twice at once when its alarm rings during a slice", async () => {
    let atWork = 0;
    let most = 0;
    const { wake, alarm, time } = start(async (signal) => {
      most = Math.max(most, ++atWork);
      await untilAborted(signal);
      atWork--;
    });
    await wake();
    await time.settle();
    await alarm();
    await time.pass(LIMITS.pumpMs * 2);
    expect(most).toBe(1);
  });

  it("starts failed work again after pauses that grow, and forgets that when it goes well", async () => {
    const attempts: number[] = [];
    let goesWell = false;
    const { wake, time } = start(async (_, wentWell) => {
      attempts.push(time.clock());
      if (goesWell) wentWell();
      throw new Error("broken");
    });
    await wake();
    await time.until(() => attempts.length === 8);
    const pauses = () => attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(pauses()).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000]);
    goesWell = true;
    await time.until(() => attempts.length === 10);
    expect(pauses().slice(-2)).toEqual([5_000, 100]);
  });

  it("says why its work failed until it makes progress", async () => {
    const steps: Array<() => void> = [];
    const { wake, lastFailure, time } = start(async (signal, wentWell) => {
      if (steps.length === 0) {
        steps.push(wentWell);
        throw new Error("broken");
      }
      steps.push(wentWell);
      await untilAborted(signal);
    });
    await wake();
    await time.until(() => steps.length === 2);
    expect(lastFailure()).toBe("broken");
    steps[1]?.();
    expect(lastFailure()).toBeUndefined();
  });

  it("is well again when it has worked for a while without failing, also with nothing to do", async () => {
    let attempts = 0;
    const { wake, lastFailure, time } = start(async (signal) => {
      if (++attempts === 1) throw new Error("broken");
      await untilAborted(signal);
    });
    await wake();
    await time.until(() => attempts === 2);
    await time.pass(1_000);
    expect(lastFailure()).toBe("broken");
    await time.pass(1_000);
    expect(lastFailure()).toBeUndefined();
  });

  it.each([3_000, 10_000])(
    "says why it fails for as long as it does, also when each attempt takes %i ms",
    async (attemptMs) => {
      let attempts = 0;
      const context = testActorContext();
      const { wake, lastFailure, time } = start(async () => {
        attempts++;
        await context.sleep(attemptMs);
        throw new Error("broken");
      }, context);
      await wake();
      await time.until(() => attempts === 2);
      const seen = new Set<string | undefined>();
      for (let second = 0; second < 200; second++) {
        await time.pass(1_000);
        seen.add(lastFailure());
      }
      expect([...seen]).toEqual(["broken"]);
    },
  );

  it("is soon well again after an outage that ended work which had stood for long", async () => {
    let attempts = 0;
    const context = testActorContext();
    const { wake, lastFailure, time } = start(async (signal) => {
      attempts++;
      if (attempts === 1) await context.sleep(40_000);
      if (attempts < 4) throw new Error("broken");
      await untilAborted(signal);
    }, context);
    await wake();
    await time.until(() => attempts === 4);
    expect(lastFailure()).toBe("broken");
    await time.pass(2_000);
    expect(lastFailure()).toBeUndefined();
  });

  it("that became well at the end of a slice is so in the next one, whether or not anybody asked", async () => {
    let attempts = 0;
    const { wake, lastFailure, time } = start(async (signal) => {
      if (++attempts === 1) throw new Error("broken");
      await untilAborted(signal);
    });
    await wake();
    await time.until(() => attempts === 3);
    expect(lastFailure()).toBeUndefined();
  });

  it("is running in the gap between two slices, and not when no next one came", async () => {
    const { wake, running, alarm, context, time } = start(untilAborted);
    context.onAlarm(undefined);
    await wake();
    await time.settle();
    void alarm();
    await time.pass(LIMITS.pumpMs);
    expect(running()).toBe(true);
    await time.pass(5_000);
    expect(running()).toBe(false);
  });

  it("ends a slice after a bounded number of steps and goes on at once in the next one", async () => {
    let steps = 0;
    const slices: number[] = [];
    const { wake, time } = start(async (signal, wentWell) => {
      const before = steps;
      while (!signal.aborted && steps < LIMITS.pumpSteps * 2.5) {
        steps++;
        wentWell();
      }
      slices.push(steps - before);
      await untilAborted(signal);
    });
    const began = time.clock();
    await wake();
    await time.until(() => slices.length === 3);
    await time.settle();
    expect(slices).toEqual([LIMITS.pumpSteps, LIMITS.pumpSteps, LIMITS.pumpSteps / 2]);
    expect(time.clock()).toBe(began);
  });

  it("tells the Actor of each progress", async () => {
    const { wake, context, time } = start(async (signal, wentWell) => {
      wentWell();
      wentWell();
      await untilAborted(signal);
    });
    await wake();
    await time.settle();
    expect(context.timesWorked()).toBe(2);
  });
});
