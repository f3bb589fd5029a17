import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { subscribed } from "#test/fake/subscribed.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";

const never = () => new Promise<never>(() => {});

describe("an attempt that does not end", () => {
  it("is over after its time, counts as refused, and has its event parked after the last one", async () => {
    const { calls, parked, wake, time } = await subscribed(["stuck", "stuck"], (id) =>
      id === "stuck-1" ? never() : Promise.resolve(ok(null)),
    );
    await time.until(() => calls.includes("stuck-2"));
    expect(calls).toEqual([...Array(LIMITS.processAttempts).fill("stuck-1"), "stuck-2"]);
    expect(await parked({ limit: 10 })).toMatchObject([
      {
        id: "stuck-1/0",
        attempts: LIMITS.processAttempts,
        reason: {
          code: "deadline_exceeded",
          detail: `Handling "stuck-1/0": it took longer than ${LIMITS.processAttemptMs} ms`,
        },
      },
    ]);
    await time.pass(LIMITS.pumpMs);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 2, parked: 1 });
  });

  it("gives its place back, so that others are handled although all places were taken", async () => {
    const { calls, time } = await subscribed(
      ["bad1", "bad2", "good"],
      (id) => (id.startsWith("bad") ? never() : Promise.resolve(ok(null))),
      { subscription: { concurrency: 2, attemptMs: 1_000 } },
    );
    await time.pass(999);
    expect(calls).toEqual(["bad1-1", "bad2-1"]);
    await time.pass(1);
    expect(calls).toContain("good-1");
  });

  it("holds up no other key, however many slices end meanwhile", async () => {
    const others = Array.from({ length: LIMITS.pumpSteps * 4 }, (_, n) => `a${n % 100}`);
    const { calls, time } = await subscribed(["stuck", ...others], (event) =>
      event === "stuck-1" ? never() : Promise.resolve(ok(null)),
    );
    const began = time.clock();
    await time.until(() => calls.length === others.length + 1);
    expect(time.clock() - began).toBeLessThan(1_000);
  });

  it("is heard of no more: neither what it comes to late is believed, nor what it throws", async () => {
    const context = testActorContext();
    const { calls, parked, wake, time } = await subscribed(
      ["late", "thrower"],
      async (id, nth) => {
        if (nth > 1) return ok(null);
        await context.sleep(1_500);
        if (id === "thrower-1") throw new Error("too late");
        return { ok: false, error: { code: "conflict", detail: "too late" } };
      },
      { subscription: { attemptMs: 1_000, attempts: 2 }, context },
    );
    await time.pass(10_000);
    expect(calls).toEqual(["late-1", "thrower-1", "late-1", "thrower-1"]);
    expect(await parked({ limit: 10 })).toEqual([]);
    expect(await wake({})).toMatchObject({ floor: 2 });
  });

  it("is told from a handler's own time that was over", async () => {
    const { parked, time } = await subscribed(
      ["a"],
      () => Promise.reject(new DOMException("its own", "TimeoutError")),
      { subscription: { attempts: 1 } },
    );
    await time.settle();
    expect(await parked({ limit: 10 })).toMatchObject([{ reason: { code: "internal_error" } }]);
  });

  it("has a bound that can be declared, within one", async () => {
    for (const attemptMs of [0, LIMITS.subscriptionAttemptMs + 1])
      await expect(subscribed([], never, { subscription: { attemptMs } })).rejects.toThrow(RangeError);
  });
});
