import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { subscribed } from "#test/fake/subscribed.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { err, ok } from "../result.ts";

const done = () => Promise.resolve(ok(null));

describe("a replay of the log passes over nothing", () => {
  it("when it is to begin beyond the log's end", async () => {
    const { calls, replayFrom, write, wake, time } = await subscribed(["a"], done);
    await time.settle();
    expect(await replayFrom({ position: 1_000 })).toMatchObject({ value: { floor: 1 } });
    await time.settle();
    for (const id of ["a", "b"]) await write(id);
    await time.settle();
    expect(calls).toEqual(["a-1", "a-2", "b-1"]);
    expect(await wake({})).toMatchObject({ floor: 3 });
  });

  it("when it is to begin beyond what was taken and not done: that comes, too", async () => {
    const context = testActorContext();
    const slow = () => context.sleep(1_000).then(() => ok(null));
    const { calls, replayFrom, time } = await subscribed(["a", "a", "a", "a"], slow, { context });
    await time.pass(500);
    expect(await replayFrom({ position: 4 })).toMatchObject({ value: { floor: 0 } });
    await time.pass(10_000);
    // The first was in hand, and comes again in its turn.
    expect(calls).toEqual(["a-1", "a-1", "a-2", "a-3", "a-4"]);
  });

  it("when it is asked for while a new subscription looks where it begins", async () => {
    const context = testActorContext();
    const log = memoryEventLog(context.time.clock);
    const position = Promise.withResolvers<void>();
    const slowToTell = {
      ...log,
      async lastPosition() {
        await position.promise;
        return log.lastPosition();
      },
    };
    const options = { context, log: slowToTell, subscription: { from: "now" } as const };
    const { calls, replayFrom, time } = await subscribed(["a", "b"], done, options);
    await time.settle();
    const asked = replayFrom({ position: 2 });
    await time.settle();
    position.resolve();
    await asked;
    await time.settle();
    expect(calls).toEqual(["b-1"]);
  });
});

describe("a replay of the log", () => {
  it("happens once: a restart does not begin it anew", async () => {
    const first = await subscribed(["a", "b"], done);
    await first.time.settle();
    await first.replayFrom({ position: 1 });
    await first.time.pass(1_000);
    expect(first.calls).toHaveLength(4);
    first.context.die();
    const context = first.context.successor();
    const second = await subscribed([], done, { context, log: first.log });
    await second.time.pass(1_000);
    expect(second.calls).toEqual([]);
  });

  it("handles again what is parked there, and what is parked behind it", async () => {
    let refuses = true;
    const { calls, replayFrom, wake, time } = await subscribed(
      ["a", "a"],
      async () => (refuses ? err({ code: "conflict", detail: "no" }) : ok(null)),
      { subscription: { attempts: 1, whenParked: "wait" } },
    );
    await time.pass(1_000);
    expect(await wake({})).toMatchObject({ parked: 2 });
    refuses = false;
    await replayFrom({ position: 1 });
    await time.pass(1_000);
    expect(calls).toEqual(["a-1", "a-1", "a-2"]);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 2, parked: 0 });
  });

  it("leaves an event that waits its attempts: it comes again, and is parked after the last one", async () => {
    const refuse = async () => err({ code: "conflict", detail: "no" });
    const subscription = { attempts: 3, backoff: { firstMs: 1_000, mostMs: 1_000 } };
    const { calls, replayFrom, wake, parked, time } = await subscribed(["a"], refuse, { subscription });
    await time.pass(100);
    await replayFrom({ position: 1 });
    await time.pass(20_000);
    expect(calls).toHaveLength(3);
    expect(await parked({ limit: 10 })).toMatchObject([{ attempts: 3 }]);
    expect(await wake({})).not.toHaveProperty("waiting");
  });

  it("is not undone by what was in hand when it was asked for, and dies half-way", async () => {
    const context = testActorContext();
    const slow = (event: string, nth: number) =>
      context.sleep(event === "c-1" ? 1_000 : nth === 1 ? 0 : 10_000).then(() => ok(null));
    const first = await subscribed(["a", "b", "c"], slow, { context });
    await first.time.pass(500);
    await first.replayFrom({ position: 1 });
    await first.time.pass(1_000);
    expect(first.calls).toEqual(["a-1", "b-1", "c-1", "a-1", "b-1", "c-1"]);
    context.die();
    const second = await subscribed([], done, { context: context.successor(), log: first.log });
    await second.time.pass(1_000);
    expect(second.calls).toEqual(["a-1", "b-1", "c-1"]);
  });
});

describe("a pause", () => {
  it("that is asked for twice stands since the first time", async () => {
    const { pause, time } = await subscribed(["a"], done);
    const { paused } = await pause({});
    await time.pass(5_000);
    expect(await pause({})).toMatchObject({ paused });
    expect(paused).toBe(new Date(time.clock() - 5_000).toISOString());
  });
});
