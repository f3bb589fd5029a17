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

  it("is told so, that it may end", async () => {
    let told: AbortSignal | undefined;
    const { time } = await subscribed(["a"], (_, nth, signal) => {
      if (nth === 1) told = signal;
      return nth === 1 ? never() : Promise.resolve(ok(null));
    });
    await time.pass(LIMITS.processAttemptMs - 1);
    expect(told?.aborted).toBe(false);
    await time.pass(1);
    expect(told?.aborted).toBe(true);
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

describe("an attempt that outlives its slice", () => {
  it("is not begun a second time when the next slice begins, nor when a pause ends, and what follows comes after it", async () => {
    const context = testActorContext();
    const handled: string[] = [];
    const slow = async (event: string) => {
      await context.sleep(20_000);
      handled.push(event);
      return ok(null);
    };
    const { calls, pause, resume, wake, time } = await subscribed(["a", "a", "b"], slow, { context });
    await time.pass(1_000);
    for (let times = 0; times < 3; times++) {
      await pause({});
      await time.pass(1_000);
      await resume({});
      await time.pass(1_000);
    }
    expect(calls).toEqual(["a-1", "b-1"]);
    await time.pass(60_000);
    expect(calls).toEqual(["a-1", "b-1", "a-2"]);
    expect(handled).toEqual(["a-1", "b-1", "a-2"]);
    expect(await wake({})).toMatchObject({ floor: 3 });
  });

  it("that ends in a pause is done: it does not come again after a restart", async () => {
    const context = testActorContext();
    const first = await subscribed(["a"], () => context.sleep(5_000).then(() => ok(null)), { context });
    await first.time.pass(1_000);
    await first.pause({});
    await first.time.pass(10_000);
    context.die();
    const second = await subscribed([], never, { context: context.successor(), log: first.log });
    await second.resume({});
    await second.time.pass(10_000);
    expect(second.calls).toEqual([]);
  });

  it("and fails has its event tried again after its pause, once", async () => {
    const context = testActorContext();
    const slow = async () => {
      await context.sleep(LIMITS.processAttemptMs - 1);
      return { ok: false as const, error: { code: "conflict", detail: "no" } };
    };
    const { calls, time } = await subscribed(["a"], slow, { context, subscription: { attempts: 100 } });
    // Slices begin each minute, attempts each half a minute.
    await time.pass(LIMITS.pumpMs * 10);
    expect(calls.length).toBeLessThanOrEqual(20);
    expect(calls.length).toBeGreaterThan(15);
  });
});

describe("an event that cannot even be parked", () => {
  it("is not overtaken by the next one of its key", async () => {
    const context = testActorContext();
    let full = true;
    const exec: typeof context.sql.exec = (sql, ...params) => {
      if (full && sql.startsWith("INSERT OR REPLACE INTO parked")) throw new Error("database is full");
      return context.sql.exec(sql, ...params);
    };
    const refused = { ok: false as const, error: { code: "conflict", detail: "no" } };
    const { calls, wake, time } = await subscribed(
      ["a", "a", "a"],
      async (event) => (event === "a-1" ? refused : ok(null)),
      { context: { ...context, sql: { ...context.sql, exec } }, subscription: { attempts: 1 } },
    );
    await time.pass(1_000);
    expect(await wake({})).toMatchObject({ failure: "database is full" });
    expect(new Set(calls)).toEqual(new Set(["a-1"]));
    full = false;
    await time.pass(10_000);
    expect(calls.slice(-3)).toEqual(["a-1", "a-2", "a-3"]);
  });
});
