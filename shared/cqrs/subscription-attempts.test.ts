import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import type { Process } from "./process.ts";
import { processActor } from "./process-actor.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";

const never = () => new Promise<never>(() => {});

/** A process whose log has an event of each of these aggregates, in this order. */
const start = async (
  aggregates: readonly string[],
  handle: (id: string, nth: number) => ReturnType<Process["handle"]>,
  subscription: SubscriptionOptions = {},
  context: TestActorContext = testActorContext(),
) => {
  const log = memoryEventLog(context.time.clock);
  const last = new Map<string, { position: number; version: number }>();
  const write = async (id: string) => {
    const { position, version } = last.get(id) ?? { position: 0, version: 0 };
    const appended = await log.append({
      aggregate: { type: "order", id },
      expectedPosition: position,
      expectedVersion: version,
      commandId: `${id}-${version + 1}`,
      at: context.time.clock(),
      events: [{ type: "Happened", data: {} }],
      trace: {},
    });
    if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
    last.set(id, { position: appended.value.position, version: version + 1 });
  };
  for (const id of aggregates) await write(id);
  const calls: string[] = [];
  const { methods, alarm } = processActor({
    context,
    process: {
      name: "ship",
      source: "orders",
      handles: ["Happened"],
      subscription,
      handle({ id: eventId }) {
        const id = eventId.replace("/0", "");
        calls.push(id);
        return handle(id, calls.filter((call) => call === id).length);
      },
    },
    log,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(alarm);
  await methods.wake({});
  return { ...methods, write, calls, time: context.time };
};

describe("an attempt that does not end", () => {
  it("is over after its time, counts as refused, and has its event parked after the last one", async () => {
    const { calls, parked, wake, time } = await start(["stuck", "stuck"], (id) =>
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
    const { calls, time } = await start(
      ["bad1", "bad2", "good"],
      (id) => (id.startsWith("bad") ? never() : Promise.resolve(ok(null))),
      { concurrency: 2, attemptMs: 1_000 },
    );
    await time.pass(999);
    expect(calls).toEqual(["bad1-1", "bad2-1"]);
    await time.pass(1);
    expect(calls).toContain("good-1");
  });

  it("is heard of no more: neither what it comes to late is believed, nor what it throws", async () => {
    const context = testActorContext();
    const { calls, parked, wake, time } = await start(
      ["late", "thrower"],
      async (id, nth) => {
        if (nth > 1) return ok(null);
        await context.sleep(1_500);
        if (id === "thrower-1") throw new Error("too late");
        return { ok: false, error: { code: "conflict", detail: "too late" } };
      },
      { attemptMs: 1_000, attempts: 2 },
      context,
    );
    await time.pass(10_000);
    expect(calls).toEqual(["late-1", "thrower-1", "late-1", "thrower-1"]);
    expect(await parked({ limit: 10 })).toEqual([]);
    expect(await wake({})).toMatchObject({ floor: 2 });
  });

  it("is told from a handler's own time that was over", async () => {
    const { parked, time } = await start(
      ["a"],
      () => Promise.reject(new DOMException("its own", "TimeoutError")),
      { attempts: 1 },
    );
    await time.settle();
    expect(await parked({ limit: 10 })).toMatchObject([{ reason: { code: "internal_error" } }]);
  });

  it("has a bound that can be declared, within one", async () => {
    for (const attemptMs of [0, LIMITS.subscriptionAttemptMs + 1])
      await expect(start([], never, { attemptMs })).rejects.toThrow(RangeError);
  });
});
